"""What the sync promises whatever the CRM is: the same tests for an emulated Salesforce org and for a file."""

import logging

import pytest
from django.core import serializers
from django.db.models import Q

from compliance.models import Suppression
from compliance.suppression import suppression
from contacts.models import Contact
from salesconnect.common.sync_words import code_words
from tests.unsubscribes.crm.conftest import ACTOR, is_out
from tests.unsubscribes.crm.drivers import CabinetDriver, Driver, OrgDriver
from tests.unsubscribes.crm.runs.test_running_crashes import leases_run_out
from unsubscribes.crm import provider_registry
from unsubscribes.crm.connection import connecting, sync_control
from unsubscribes.crm.models import OutboxEntry, SyncConnection, SyncError, SyncRecord, SyncRun
from unsubscribes.crm.outbox import outbox
from unsubscribes.crm.reading import applying, pull
from unsubscribes.crm.runs import running
from unsubscribes.crm.runs.running import RunTurn
from unsubscribes.crm.salesforce.api import client
from unsubscribes.crm.writing import clearing, push, settling

ANNA, BO = "anna@example.com", "bo@example.com"
CRMS = ("salesforce", "file")
FILE = "tests.unsubscribes.crm.file_provider.FileProvider"


@pytest.fixture(params=CRMS)
def crm(request, tmp_path, monkeypatch, db) -> Driver:
    """Return a CRM that is connected, and where nothing waits for long."""
    monkeypatch.setitem(provider_registry.PROVIDERS, "file", FILE)
    monkeypatch.setattr(client, "FIRST_DELAY", 0.02)
    monkeypatch.setattr(running, "MANUAL_PATIENCE", 2.0)
    monkeypatch.setattr(settling, "RETRY_TIME_FACTOR", 0.05)
    driver: Driver
    if request.param == "file":
        driver = CabinetDriver(tmp_path / "cabinet.json")
    else:
        driver = OrgDriver(request.getfixturevalue("org"))
    connecting.connect(driver.settings(), actor=ACTOR)
    SyncConnection.objects.update(state="active")
    return driver


def sync(direction: str = "both", **options: bool) -> SyncRun:
    """Run the sync as a person at a shell would."""
    run = sync_control.request_run(actor=ACTOR, direction=direction, start=False, **options)
    RunTurn(run, manual=True).go()
    run.refresh_from_db()
    return run


def again() -> SyncRun:
    """Run the sync once more when all pauses and leases are over."""
    leases_run_out()
    return sync()


@pytest.fixture
def anna(crm, person) -> tuple[Contact, str]:
    """Return somebody whom both sides know, and her record."""
    anna, record = person(email=ANNA), crm.create(ANNA)
    assert sync().state == "done"
    return anna, record


# No "no" is lost.


def test_a_no_there_is_a_no_here(crm, anna):
    person, record = anna
    crm.opt_out(record)
    run = sync()
    assert (run.state, run.changed, is_out(person), crm.box(record)) == ("done", 1, True, True)
    [held] = Suppression.objects.all()
    assert (held.source, f"In {crm.name}" in held.reason) == (provider_registry.current().source, True)
    assert (sync().changed, sync().written) == (0, 0)


def test_the_flight_recorder_keeps_each_call_and_nobody(crm, anna, unsubscribe, administrating):
    person, record = anna
    unsubscribe(person)
    run = sync()
    kept = [(call["method"], call["path"], call["status"]) for call in run.flight]
    assert len(kept) == run.calls > 0
    assert all(method and path and status for method, path, status in kept)
    assert [name for name in (record, ANNA) if name in str(run.flight)] == []
    crm.lock_out()
    failed = sync()
    assert failed.state == "failed"
    html = administrating.get(f"/sync/runs/{run.pk}/").content.decode()
    assert ("Last calls" in html, kept[0][1] in html) == (True, True)
    if failed.flight:
        assert failed.flight[-1]["status"] not in {"", "200", "ok"}


def test_a_no_here_is_a_no_there(crm, anna, unsubscribe):
    person, record = anna
    unsubscribe(person)
    run = sync()
    assert (run.state, run.written, crm.box(record)) == ("done", 1, True)
    assert (sync().changed, sync().written) == (0, 0)


def test_a_no_of_one_record_reaches_the_other_records_of_the_address(crm, anna):
    _person, record = anna
    other = crm.create(ANNA)
    crm.opt_out(record)
    sync()
    assert (crm.box(record), crm.box(other)) == (True, True)


def test_a_no_of_somebody_who_is_not_here_holds_when_the_person_comes(crm, person):
    crm.opt_out(crm.create(BO))
    sync()
    assert suppression.of_address(BO)
    assert is_out(person(email=BO))


def test_both_sides_say_no_between_two_syncs(crm, anna, person, unsubscribe):
    bo, his = person(email=BO), crm.create(BO)
    her, hers = anna
    sync()
    unsubscribe(her)
    crm.opt_out(his)
    run = sync()
    assert (run.state, is_out(her), is_out(bo), crm.box(hers), crm.box(his)) == ("done", True, True, True, True)


def test_many_are_read_and_written_page_by_page(crm, person, unsubscribe):
    people = [person(email=f"p{n}@example.com", last_name=f"P{n}") for n in range(9)]
    records = [crm.create(each.email) for each in people]
    sync()
    unsubscribe(*people[:5])
    for record in records[5:]:
        crm.opt_out(record)
    run = sync()
    assert (run.state, run.written, run.changed) == ("done", 5, 4)
    assert all(crm.box(record) for record in records)
    assert all(is_out(each) for each in people)


def test_a_no_of_a_merged_record_goes_to_where_it_lives_on(crm, anna, person):
    _her, hers = anna
    bo, his = person(email=BO), crm.create(BO)
    sync()
    crm.opt_out(hers)
    crm.merge(his, hers)
    sync()
    assert (is_out(bo), crm.box(his)) == (True, True)


def test_a_no_outlives_its_record(crm, anna):
    person, record = anna
    crm.opt_out(record)
    crm.delete(record)
    sync()
    assert is_out(person)
    assert SyncRecord.objects.get().deleted


# Races and failures.


def test_an_answer_that_is_lost_costs_nothing(crm, anna, unsubscribe):
    person, record = anna
    unsubscribe(person)
    crm.lose_the_answer()
    sync("push")
    crm.mend()
    assert again().state == "done"
    assert (is_out(person), crm.box(record)) == (True, True)
    assert not _open_entries()


def test_a_read_that_breaks_off_is_taken_up(crm, anna):
    person, record = anna
    crm.opt_out(record)
    crm.break_reading()
    sync("pull")
    crm.mend()
    assert again().state == "done"
    assert is_out(person)


STEPS = {
    "before the write": (push.Push, "_collection"),
    "after the write": (settling, "settle"),
    "before a page": (applying, "apply"),
    "after a page": (pull.Pull, "_count"),
    "before the entries are leased": (outbox, "lease"),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_run_that_dies_loses_nothing(crm, anna, person, unsubscribe, monkeypatch, step):  # noqa: PLR0917
    her, hers = anna
    bo, his = person(email=BO), crm.create(BO)
    sync()
    unsubscribe(her)
    crm.opt_out(his)
    place, name = STEPS[step]
    with monkeypatch.context() as deadly:
        deadly.setattr(place, name, _die)
        with pytest.raises(MemoryError):
            sync()
    assert again().state == "done"
    assert (is_out(her), is_out(bo), crm.box(hers), crm.box(his)) == (True, True, True, True)
    assert not _open_entries()


def _die(*args: object, **kwargs: object) -> None:
    raise MemoryError


def test_a_new_consent_clears_the_box(crm, anna, unsubscribe, consent):
    person, record = anna
    unsubscribe(person)
    sync()
    consent(person)
    assert sync().state == "done"
    assert (crm.box(record), is_out(person)) == (False, False)
    assert (sync().changed, is_out(person)) == (0, False)


def test_a_no_there_that_is_newer_than_a_consent_wins(crm, anna, unsubscribe, consent):
    person, record = anna
    unsubscribe(person)
    sync()
    consent(person)
    crm.opt_out(record)
    sync()
    assert (crm.box(record), is_out(person)) == (True, True)


def test_a_no_between_our_reading_and_our_clearing_wins(crm, anna, unsubscribe, consent, monkeypatch):
    person, record = anna
    unsubscribe(person)
    sync()
    consent(person)
    read, said = clearing._read_now, []

    def and_then_somebody_ticks_it(*args):
        found = read(*args)
        if not said:
            said.append(crm.opt_out(record))
        return found

    monkeypatch.setattr(clearing, "_read_now", and_then_somebody_ticks_it)
    sync()
    assert said
    assert (crm.box(record), is_out(person)) == (True, True)


def test_a_no_here_while_the_consent_is_on_its_way_wins(crm, anna, unsubscribe, consent, monkeypatch):
    person, record = anna
    unsubscribe(person)
    sync()
    consent(person)
    written = settling.written

    def and_then_she_says_no(*args, **kwargs):
        monkeypatch.setattr(settling, "written", written)
        unsubscribe(person)
        written(*args, **kwargs)

    monkeypatch.setattr(settling, "written", and_then_she_says_no)
    sync()
    sync()
    assert (crm.box(record), is_out(person)) == (True, True)


# Re-assertion.


def test_a_cleared_box_is_no_consent_and_is_ticked_again(crm, anna, unsubscribe):
    person, record = anna
    unsubscribe(person)
    sync()
    crm.clear(record)
    assert sync().written == 1
    assert (crm.box(record), is_out(person)) == (True, True)


def test_a_box_that_is_cleared_without_end_is_a_dead_letter_with_words(crm, anna, unsubscribe):
    person, record = anna
    unsubscribe(person)
    sync()
    for _clearing in range(outbox.MAX_REASSERTS + 1):
        crm.clear(record)
        sync()
    [error] = SyncError.objects.filter(state="dead")
    assert (error.code, error.sf_id, is_out(person)) == ("AUTOMATION_KEEPS_CLEARING", record, True)
    assert code_words(error.code).advice
    sync_control.retry(error.pk, actor=ACTOR)
    assert (sync().written, crm.box(record)) == (1, True)


# Dead letters.


def test_a_refusal_that_somebody_has_to_mend_is_a_dead_letter(crm, anna, unsubscribe):
    person, record = anna
    unsubscribe(person)
    crm.refuse(record, crm.lasting)
    run = sync()
    assert (run.state, run.written, run.errors) == ("done", 0, 1)
    [error], [entry] = SyncError.objects.all(), OutboxEntry.objects.filter(state="dead")
    assert (error.state, error.code, error.sf_id, entry.code) == ("dead", crm.lasting, record, crm.lasting)
    assert error.message
    words = code_words(error.code)
    assert "refuses the record" in words.what
    assert "press Retry" in words.advice
    assert sync().written == 0
    crm.mend()
    sync_control.retry(error.pk, actor=ACTOR)
    assert (sync().written, crm.box(record)) == (1, True)
    error.refresh_from_db()
    assert error.state == "resolved"


def test_one_refusal_keeps_no_other_record_waiting(crm, anna, person, unsubscribe):
    her, hers = anna
    bo, his = person(email=BO), crm.create(BO)
    sync()
    unsubscribe(her, bo)
    crm.refuse(hers, crm.lasting)
    run = sync()
    assert (run.written, run.errors, crm.box(hers), crm.box(his)) == (1, 1, False, True)


def test_a_passing_refusal_is_tried_again_by_itself(crm, anna, unsubscribe):
    person, record = anna
    unsubscribe(person)
    crm.refuse(record, crm.passing)
    sync()
    assert (OutboxEntry.objects.get().state, SyncError.objects.get().state) == ("retry", "waiting")
    crm.mend()
    assert (again().written, crm.box(record)) == (1, True)
    assert SyncError.objects.get().state == "resolved"


# The flight recorder.


def test_each_run_is_recorded_with_what_it_came_to(crm, anna, unsubscribe):
    person, _record = anna
    unsubscribe(person)
    before = SyncRun.objects.count()
    run = sync()
    assert SyncRun.objects.count() == before + 1
    assert (run.kind, run.state, run.actor_name) == ("both", "done", ACTOR.name)
    assert (run.calls > 0, run.written, run.errors) == (True, 1, 0)
    assert run.started_at <= run.finished_at


def test_what_is_recorded_names_nobody(crm, anna, person, unsubscribe, caplog):
    caplog.set_level(logging.DEBUG)
    her, hers = anna
    person(email=BO, last_name="Bo")
    his = crm.create(BO)
    sync()
    unsubscribe(her)
    crm.opt_out(his)
    crm.refuse(hers, crm.lasting)
    sync()
    sync(is_dry=True)
    crm.lock_out()
    sync()
    rows = [*SyncRun.objects.all(), *SyncError.objects.all(), *OutboxEntry.objects.all(), *SyncRecord.objects.all()]
    kept = serializers.serialize("json", rows) + "".join(
        run.file.read().decode() for run in SyncRun.objects.all() if run.file
    )
    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("unsubscribes", "contacts"))]
    assert ours
    for address in (ANNA, BO):
        assert address not in kept
        assert address not in "".join(ours)


def test_a_dry_run_finds_what_a_sync_would_do_and_changes_nothing(crm, anna, person, unsubscribe):
    her, hers = anna
    bo, his = person(email=BO), crm.create(BO)
    unsubscribe(her)
    crm.opt_out(his)
    run = sync(is_dry=True)
    assert (run.state, run.read, run.findings["opt_out_here"], run.findings["write_there"]) == ("done", 2, 1, 1)
    assert (is_out(bo), crm.box(hers)) == (False, False)


def test_comparing_everything_finds_nothing_to_correct(crm, anna, unsubscribe):
    person, _record = anna
    unsubscribe(person)
    sync()
    run = sync(full=True)
    assert (run.state, run.read, run.changed, run.corrections, run.written) == ("done", 1, 0, 0, 0)


# Pausing and setting up.


def test_a_refused_sign_in_pauses_and_goes_on_by_itself(crm, anna, unsubscribe):
    person, record = anna
    unsubscribe(person)
    crm.lock_out()
    run = sync()
    row = SyncConnection.objects.get()
    assert (run.state, row.state, row.paused_until is None) == ("failed", "paused_auth", False)
    assert code_words(row.message.split(" ")[0]).advice
    outbox.collect()
    [entry] = OutboxEntry.objects.all()
    assert (entry.state in outbox.WAITING, entry.attempts, SyncError.objects.exists()) == (True, 0, False)
    crm.mend()
    assert again().written == 1
    assert (SyncConnection.objects.get().state, crm.box(record)) == ("active", True)


def test_the_other_crm_is_connected_only_when_this_one_is_disconnected(crm, anna):
    other = next(key for key in CRMS if key != SyncConnection.objects.get().provider)
    with pytest.raises(Exception, match="Disconnect"):
        connecting.connect({"provider": other}, actor=ACTOR)
    connecting.disconnect(actor=ACTOR)
    assert not SyncRecord.objects.exists()


def test_the_environment_connects_a_crm_that_it_names(tmp_path, monkeypatch, db):
    monkeypatch.setitem(provider_registry.PROVIDERS, "file", FILE)
    cabinet = CabinetDriver(tmp_path / "cabinet.json").cabinet
    monkeypatch.setenv("CABINET", str(cabinet.path))
    row = connecting.from_environment(actor=ACTOR)
    assert (row.provider, row.login_url, connecting.by_environment()) == ("file", str(cabinet.path), True)
    assert connecting.from_environment(actor=ACTOR).token_generation == row.token_generation
    assert [line.ok for line in connecting.test(actor=ACTOR)] == [True]
    assert sync(is_dry=True).state == "done"


def _open_entries() -> bool:
    return OutboxEntry.objects.filter(~Q(state__in=("done", "superseded"))).exists()
