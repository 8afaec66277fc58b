"""Rows that are queues: tried, let wait longer and longer, given up with words, and never in the way of others.

Who works on one may be killed at any moment: nothing is half done then, and nothing is done twice.
"""

import datetime as dt
import os
import signal
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import OperationalError, connection
from django.utils import timezone

from compliance.acts.source import source_params
from compliance.card.rules import Source
from compliance.card.source_registry import SourceType
from compliance.imports import import_jobs as import_services
from compliance.imports import working
from contacts import tasks
from contacts.jobs import batches, engine
from contacts.jobs.acts import ACTS
from contacts.models import Batch, Contact, ContactEvent, RootDelivery, Seal, Verification, WorkAttempt
from contacts.sealing import delivery, destinations, sealing, verification
from salesconnect.lib.actor import system
from unsubscribes.crm import tasks as sync_tasks
from unsubscribes.models import SyncRun

SECONDS = sum(engine.DELAYS)


@pytest.fixture
def waiting(person, member, monkeypatch):
    """Return a function that orders a bulk change for a worker."""
    monkeypatch.setattr(batches, "INLINE_LIMIT", 0)
    for name in "abc":
        person(email=f"{name}@example.com")

    def order(kind="source"):
        return batches.order(Contact.objects.all(), kind, actor=member, params=source_params(Source(SourceType.IMPORT)))

    return order


@pytest.fixture
def handler(monkeypatch):
    """Return a function that makes another handler carry out the kind `source`."""

    def use(function):
        monkeypatch.setattr(type(ACTS["source"]), "run", lambda _self, *chunk: function(*chunk))

    return use


def broken(*_args, **_options):
    raise ZeroDivisionError


def time_passes():
    WorkAttempt.objects.update(not_before=timezone.now() - dt.timedelta(seconds=1))


def until_it_ends(work):
    """Work again and again as the sweep would; return how often."""
    for number in range(1, 50):
        if work():
            return number
        time_passes()
    raise AssertionError("it never ends")


def test_a_batch_that_always_fails_ends_with_words(waiting, handler):
    handler(broken)
    batch = waiting()
    other = waiting()

    def work():
        assert batches.run(batch.pk) is False
        return Batch.objects.get(pk=batch.pk).ended

    assert until_it_ends(work) == engine.TRIES
    batch.refresh_from_db()
    assert (batch.state, batch.error, batch.finished_at is not None) == ("failed", engine.GIVEN_UP, True)
    assert (Batch.objects.get(pk=other.pk).state, WorkAttempt.objects.count()) == ("queued", 0)


def test_between_two_attempts_it_waits_longer_each_time_and_others_do_not(waiting, handler):
    handler(broken)
    batch, other = waiting(), waiting()
    Batch.objects.update(created_at=timezone.now() - dt.timedelta(hours=1))
    delays = []
    for _attempt in range(engine.TRIES - 1):
        batches.run(batch.pk)
        assert engine.stalled(batches.QUEUE) == [other.pk]
        delays.append(WorkAttempt.objects.get().not_before - timezone.now())
        time_passes()
        assert engine.stalled(batches.QUEUE) == [batch.pk, other.pk]
    assert [round(delay.total_seconds()) for delay in delays] == list(engine.DELAYS)
    assert SECONDS < 3_600


def test_who_gets_further_begins_to_count_anew(waiting, handler, monkeypatch):
    monkeypatch.setattr(batches, "CHUNK", 1)
    done = []

    def every_second(contacts, batch, actor):
        done.append(1)
        if len(done) % 2:
            raise ZeroDivisionError
        return batches.Outcome(changed=contacts.count())

    handler(every_second)
    batch = waiting()

    def work():
        batches.run(batch.pk)
        return Batch.objects.get(pk=batch.pk).ended

    assert until_it_ends(work) == 4
    assert (Batch.objects.get(pk=batch.pk).state, WorkAttempt.objects.count()) == ("done", 0)


def test_a_worker_that_dies_each_time_counts_too(waiting, handler):
    def deadly(*_args):
        raise SystemExit

    handler(deadly)
    batch = waiting()

    def work():
        try:
            batches.run(batch.pk)
        except SystemExit:
            return False
        return Batch.objects.get(pk=batch.pk).state == "failed"

    assert until_it_ends(work) == engine.TRIES + 1


def test_a_database_that_is_away_is_no_attempt(waiting, handler):
    def away(*_args):
        raise OperationalError("server closed the connection")

    handler(away)
    batch = waiting()
    for _turn in range(2 * engine.TRIES):
        with pytest.raises(OperationalError):
            batches.run(batch.pk)
    assert (Batch.objects.get(pk=batch.pk).state, WorkAttempt.objects.count()) == ("queued", 0)


def test_who_finds_another_worker_there_counts_nothing(waiting, handler, monkeypatch):
    monkeypatch.setattr(batches, "_next_chunk", lambda *_args: False)
    batch = waiting()
    for _turn in range(2 * engine.TRIES):
        assert batches.run(batch.pk) is False
    assert WorkAttempt.objects.count() == 0


def test_an_import_at_which_workers_die_ends_with_words(db, administrator, monkeypatch):
    def deadly(*_args, **_options):
        raise SystemExit

    monkeypatch.setattr(working, "process_chunk", deadly)
    file = ContentFile(b"Email\r\nanna@example.com\r\n")
    job = import_services.start(file, "x.csv", actor=administrator)

    def work():
        try:
            working.run(job.pk)
        except SystemExit:
            return False
        job.refresh_from_db()
        return job.ended

    assert until_it_ends(work) == engine.TRIES + 1
    assert (job.state, job.error) == ("failed", engine.GIVEN_UP)


def test_a_verification_that_cannot_be_carried_out_says_so_and_nothing_of_an_event(person, monkeypatch):
    monkeypatch.setattr(verification, "_compare_events", broken)
    person()
    row = verification.begin(actor=system("task"))

    def work():
        tasks.verify_history(row.pk)
        row.refresh_from_db()
        return row.finished_at

    assert until_it_ends(work) == engine.TRIES
    assert (row.good, row.problem, row.bad_event, verification.running()) == (False, "broken", None, None)
    assert engine.stalled(verification.QUEUE) == []
    assert Verification.objects.count() == 1


def test_a_run_of_the_sync_at_which_workers_die_ends(db, monkeypatch):
    class Deadly:
        def __init__(self, run):
            pass

        def go(self):
            raise SystemExit

    monkeypatch.setattr(sync_tasks, "RunTurn", Deadly)
    run = SyncRun.objects.create(kind="full", actor_name="x")

    def work():
        try:
            sync_tasks.run_salesforce(run.pk)
        except SystemExit:
            return False
        run.refresh_from_db()
        return run.finished_at

    assert until_it_ends(work) == engine.TRIES + 1
    assert (run.state, run.message) == ("failed", "killed")


def test_a_root_that_cannot_be_sent_one_way_goes_the_others_and_waits(person, monkeypatch, administrator):
    sent = []
    monkeypatch.setitem(delivery.CHANNELS, destinations.MAIL, delivery.Channel(dt.timedelta(days=1), broken))
    good = delivery.Channel(dt.timedelta(), lambda _seal, target: sent.append(target))
    monkeypatch.setitem(delivery.CHANNELS, destinations.WEBHOOK, good)
    destinations.change(
        {"mail_to": "a@example.com", "webhook_url": "https://example.com/x", "timestamp_url": ""}, actor=administrator
    )
    person()
    sealing.seal_open()
    assert Seal.objects.exists()
    assert delivery.send_due() == 1
    row = RootDelivery.objects.get(way=destinations.MAIL)
    assert (row.attempts, row.error, sent) == (1, "ZeroDivisionError", ["https://example.com/x"])
    assert row.not_before > timezone.now()


# A worker in a process of its own, which is killed at the nth call of a function, before or after it.
WORKER = """
import os, signal, sys, django
django.setup()
from importlib import import_module
from contacts import tasks
from contacts.jobs import batches
module, name, nth, moment, batch = sys.argv[1:]
module, calls = import_module(f"contacts.jobs.{module}"), []
real = getattr(module, name)
def deadly(*args, **options):
    calls.append(name)
    if len(calls) < int(nth):
        return real(*args, **options)
    if moment == "after":
        real(*args, **options)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(module, name, deadly)
tasks.run_batch(int(batch))
"""


@pytest.mark.race
@pytest.mark.usefixtures("transactional_db")
@pytest.mark.parametrize(
    ("place", "done"),
    [
        ("engine claim 2 before", 1),
        ("engine claim 2 after", 1),
        ("batches _count 2 before", 1),  # the people are changed, but nothing is committed
        ("batches _count 2 after", 1),
        ("batches _chunk_without_waiting 2 after", 2),
        ("batches _finish 1 before", 3),
    ],
)
def test_a_worker_killed_at_any_moment_leaves_nothing_half_done_and_the_next_does_nothing_twice(
    waiting, monkeypatch, place, done
):
    monkeypatch.setattr(batches, "CHUNK", 1)
    batch = waiting()
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "SALESCONNECT_DATA": str(settings.DATA_DIR),
        "SALESCONNECT_TEST_DATABASE": connection.settings_dict["NAME"],
    }
    worker = [sys.executable, "-c", WORKER, *place.split(), str(batch.pk)]
    assert subprocess.run(worker, env=environment, check=False).returncode == -signal.SIGKILL
    batch.refresh_from_db()
    assert (batch.state, batch.done, batch.changed, WorkAttempt.objects.count()) == ("running", done, done, 1)
    assert who_was_changed(batch) == (done, done, done)
    assert engine.stalled(batches.QUEUE) == []
    Batch.objects.update(heartbeat_at=timezone.now() - dt.timedelta(seconds=31))
    assert engine.stalled(batches.QUEUE) == [batch.pk]
    tasks.run_batch(batch.pk)
    batch.refresh_from_db()
    assert (batch.state, batch.done, batch.changed, WorkAttempt.objects.count()) == ("done", 3, 3, 0)
    assert who_was_changed(batch) == (3, 3, 3)


def who_was_changed(batch):
    """Return how many people bear the change, how many events say so, and of how many people."""
    events = ContactEvent.objects.filter(batch_id=batch.pk)
    people = Contact.objects.filter(card__source_type=SourceType.IMPORT).count()
    return people, events.count(), events.values("contact_id").distinct().count()


def test_a_worker_that_comes_back_late_does_not_revive_what_was_cancelled(waiting, handler, member):
    batch = waiting()

    def cancelled_meanwhile(contacts, batch, _actor):
        batches.cancel(batch.pk, actor=member)
        return batches.Outcome(changed=contacts.count())

    handler(cancelled_meanwhile)
    assert batches.run(batch.pk) is False
    batch.refresh_from_db()
    assert (batch.state, batch.done, batch.started_at is not None) == ("cancelled", 3, True)


def test_the_sweep_forgets_the_attempts_at_what_has_ended(waiting, handler, member):
    handler(broken)
    cancelled, other = waiting(), waiting()
    for batch in (cancelled, other):
        batches.run(batch.pk)
    batches.cancel(cancelled.pk, actor=member)
    tasks.sweep_batches()
    assert WorkAttempt.objects.get().row_id == other.pk


def test_a_file_that_cannot_be_removed_is_tried_again_and_holds_up_no_other(db, administrator, monkeypatch):
    first, second = (
        import_services.start(ContentFile(b"Email\r\nanna@example.com\r\n"), "x.csv", actor=administrator)
        for _number in range(2)
    )
    names, remove = (first.file.name, second.file.name), default_storage.delete

    def stuck(name):
        if name == names[0]:
            raise PermissionError(name)
        remove(name)

    with monkeypatch.context() as patched:
        patched.setattr(default_storage, "delete", stuck)
        assert engine.remove_files([first, second]) == 1
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.file.name, second.file.name) == (names[0], "")
    assert [default_storage.exists(name) for name in names] == [True, False]
    assert engine.remove_files([first]) == 1
    assert not default_storage.exists(names[0])
