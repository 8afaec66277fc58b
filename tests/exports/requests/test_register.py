"""Requests of people from receipt to answer: each act, its refusals, and what is left after an erasure."""

import datetime as dt
import importlib
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from django.apps import apps
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone

from compliance.models import ComplianceCard
from compliance.review import restriction
from compliance.suppression import suppression
from contacts.models import Contact, ContactEvent
from exports.erasure import erasure
from exports.models import DataRequest, IdentityNote, RequestLook
from exports.requests import open_requests, register
from salesconnect.common.history_words import describe
from salesconnect.lib.errors import Conflict, Forbidden, Invalid, Missing

migration = importlib.import_module("exports.migrations.0009_clock_facts")
DAY = dt.date(2026, 11, 10)
NOON = "2026-11-20T11:00Z"
"""Ten days after."""


def complex_(words="Very many records", day=None) -> register.ClockReason:
    return register.ClockReason("complexity", words, day or timezone.localdate())


def asking(words="Who is it?", day=None) -> register.ClockReason:
    return register.ClockReason("identity", words, day or timezone.localdate())


@pytest.fixture(autouse=True)
def ten_days_later():
    """Let it be ten days after the requests came in."""
    with time_machine.travel(NOON, tick=False):
        yield


def at(moment: str):
    return time_machine.travel(f"{moment}T11:00Z", tick=False)


@pytest.fixture
def asked(person, member):
    """Return a function that registers a request of a new person."""

    def ask(kind="access", **given):
        given = {"identity_check": "Called back"} | given
        return register.take_in(kind, person(last_name="Berg").pk, given.pop("received", DAY), actor=member, **given)

    return ask


def events(contact_id: int) -> list[ContactEvent]:
    """Return what happened to somebody, also what the database's own clock dates later than the test's."""
    return list(ContactEvent.objects.filter(contact_id=contact_id).order_by("id"))


def actions(contact_id: int) -> list[str]:
    return [event.action for event in events(contact_id)]


def test_a_request_is_due_in_a_month_and_the_history_tells(asked, bob):
    row = asked()
    assert (row.due, row.state, row.handler, row.actor_name) == (dt.date(2026, 12, 10), "open", bob, "bob")
    assert actions(row.contact_id) == ["created", "requested"]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"kind": "money"}, "kind"),
        ({"received": dt.date(2999, 1, 1)}, "received"),
        ({"contact_id": 0}, "contact"),
        ({"identity_check": "x" * 501}, "identity_check"),
    ],
)
def test_what_cannot_be_is_refused_by_field(person, member, changed, field):
    given = {"kind": "access", "contact_id": person().pk, "received": DAY} | changed
    with pytest.raises(Invalid) as refusal:
        register.take_in(**given, actor=member)
    assert list(refusal.value.fields) == [field]


def test_an_extension_is_three_months_from_receipt_once(asked, member):
    row = register.extend(asked().pk, complex_(day=dt.date(2026, 11, 18)), actor=member)
    assert (row.due, row.extended_on, row.told_on) == (
        dt.date(2027, 2, 10),
        timezone.localdate(),
        dt.date(2026, 11, 18),
    )
    assert (row.extension_kind, row.extension_reason) == ("complexity", "Very many records")
    with pytest.raises(Conflict) as again:
        register.extend(row.pk, complex_(), actor=member)
    assert again.value.code == "extended"


@pytest.mark.parametrize(
    ("why", "fields"),
    [
        (register.ClockReason("holiday", "Away", DAY), ["reason_kind"]),
        (register.ClockReason("", "Away", DAY), ["reason_kind"]),
        (register.ClockReason("complexity", " ", DAY), ["reason"]),
        (register.ClockReason("complexity", "x" * 501, DAY), ["reason"]),
        (register.ClockReason("complexity", "Much", dt.date(2026, 11, 21)), ["told_on"]),
        (register.ClockReason("complexity", "Much", dt.date(2026, 11, 9)), ["told_on"]),
        (register.ClockReason("identity", "", dt.date(2027, 1, 1)), ["reason_kind", "told_on", "reason"]),
    ],
)
def test_an_extension_needs_a_reason_of_the_law_and_a_day_that_was(asked, member, why, fields):
    row = asked()
    with pytest.raises(Invalid) as refusal:
        register.extend(row.pk, why, actor=member)
    assert list(refusal.value.fields) == fields
    row.refresh_from_db()
    assert (row.extended_on, row.due) == (None, dt.date(2026, 12, 10))


def test_an_extension_ends_with_the_first_month_and_a_pause_with_the_last_day(asked, member):
    row = asked()
    with at("2026-12-10"):
        register.extend(asked().pk, complex_(), actor=member)
        register.pause(asked().pk, asking(), actor=member)
    with at("2026-12-11"):
        for act, why in ((register.extend, complex_()), (register.pause, asking(day=DAY))):
            with pytest.raises(Conflict) as refusal:
                act(row.pk, why, actor=member)
            assert refusal.value.code == "too_late"
        row.refresh_from_db()
        assert (open_requests.is_overdue(row), open_requests.days_late(row)) == (True, 1)
        assert [late.pk for late in open_requests.waiting().filter(open_requests.overdue())] == [row.pk]


def test_a_pause_moves_the_end_of_the_first_month_for_the_extension_too(asked, member):
    row = register.pause(asked().pk, asking(), actor=member)
    with at("2026-12-15"):
        assert register.first_due(row) == dt.date(2027, 1, 4)
        assert register.extend(row.pk, complex_(), actor=member).due == dt.date(2027, 2, 10)
        row = register.resume(row.pk, actor=member)
    assert (row.paused_days, row.due) == (25, dt.date(2027, 3, 8))


def test_an_extended_request_is_paused_until_its_own_last_day(asked, member):
    row = register.extend(asked().pk, complex_(), actor=member)
    with at("2027-02-10"):
        assert register.pause(row.pk, asking(), actor=member).state == "paused"
    other = register.extend(asked().pk, complex_(), actor=member)
    with at("2027-02-11"), pytest.raises(Conflict, match="last day is over"):
        register.pause(other.pk, asking(), actor=member)


def test_a_pause_adds_the_days_since_the_person_was_asked(asked, member):
    row = register.pause(asked().pk, asking(day=dt.date(2026, 11, 16)), actor=member)
    assert (row.state, row.paused_on, row.pause_kind) == ("paused", dt.date(2026, 11, 16), "identity")
    assert open_requests.counts().paused == 1
    with pytest.raises(Conflict) as again:
        register.pause(row.pk, asking(), actor=member)
    assert again.value.code == "paused"
    row = register.resume(row.pk, actor=member)
    assert (row.state, row.paused_days, row.due, row.pause_reason) == ("open", 4, dt.date(2026, 12, 14), "")
    with pytest.raises(Conflict) as again:
        register.resume(row.pk, actor=member)
    assert again.value.code == "running"


def test_no_day_is_added_twice(asked, member):
    row = register.pause(asked().pk, asking(day=dt.date(2026, 11, 16)), actor=member)
    register.resume(row.pk, actor=member)
    with pytest.raises(Invalid) as refusal:
        register.pause(row.pk, asking(day=dt.date(2026, 11, 19)), actor=member)
    assert list(refusal.value.fields) == ["asked_on"]


def test_how_late_an_answer_was_is_kept(asked, member):
    late, erased, elsewhere, in_time = asked(), asked("erasure"), asked(), asked()
    register.pause(in_time.pk, asking(), actor=member)
    with at("2026-12-13"):
        for row in (late, in_time):
            register.finish(row.pk, "carried_out", "Sent", actor=member)
        register.carry_out(erased.pk, actor=member)
        erasure.delete(Contact.objects.filter(pk=elsewhere.contact_id), actor=member)
    with at("2027-03-01"):
        found = [
            open_requests.days_late(DataRequest.objects.get(pk=row.pk)) for row in (late, erased, elsewhere, in_time)
        ]
    assert found == [3, 3, 3, 0]


def test_what_was_late_before_the_rules_were_kept_is_late_still(asked, member):
    """Of rows of before: an extension after the first month puts nothing off, and a clock stopped late runs on."""
    extended, paused = asked(), asked()
    DataRequest.objects.filter(pk=extended.pk).update(extended_on=dt.date(2026, 12, 20), due=dt.date(2027, 2, 10))
    DataRequest.objects.filter(pk=paused.pk).update(state="paused", paused_on=dt.date(2026, 12, 20))
    with at("2026-12-30"):
        migration.tell_what_was_late(apps, connection.schema_editor())
        register.resume(paused.pk, actor=member)
        rows = [DataRequest.objects.get(pk=row.pk) for row in (extended, paused)]
        assert [(row.due, open_requests.days_late(row)) for row in rows] == [(dt.date(2026, 12, 10), 20)] * 2
    done = asked()
    register.finish(done.pk, "refused", "Not ours", actor=member)
    DataRequest.objects.filter(pk=done.pk).update(done_at="2026-12-12T23:30Z")
    migration.tell_what_was_late(apps, connection.schema_editor())
    assert DataRequest.objects.get(pk=done.pk).late_by == 3


def test_identity_and_handler_are_events_and_no_note_is_lost(asked, member, alice):
    row = asked(identity_check="Called back")
    register.note_identity(row.pk, "Passport seen", actor=member)
    register.assign(row.pk, alice, actor=member)
    register.assign(row.pk, alice, actor=member)
    register.assign(row.pk, None, actor=member)
    assert list(row.identity_notes.values_list("text", "actor_name")) == [
        ("Called back", "bob"),
        ("Passport seen", "bob"),
    ]
    told = [event.changes for event in events(row.contact_id)[2:]]
    note = IdentityNote.objects.get(text="Passport seen").pk
    assert told == [
        {"request": [None, row.pk], "identity": [None, note]},
        {"request": [None, row.pk], "handler": ["bob", "alice"]},
        {"request": [None, row.pk], "handler": ["alice", None]},
    ]
    sentences = [describe(event) for event in reversed(events(row.contact_id)[2:])]
    assert sentences == [
        f"bob left request {row.pk} to nobody",
        f"bob handed request {row.pk} over to alice",
        f"bob noted in request {row.pk} how the identity was checked",
    ]


@pytest.mark.parametrize("change", [{"text": "Nothing"}, {"actor_name": "x", "text": ""}, None])
def test_a_note_on_the_identity_is_never_changed(asked, change):
    asked(identity_check="Called back")
    notes = IdentityNote.objects.all()
    with pytest.raises(ProgrammingError, match="never changed"), transaction.atomic():
        notes.delete() if change is None else notes.update(**change)
    assert IdentityNote.objects.get().text == "Called back"


def test_it_ends_with_an_answer(asked, member):
    row = register.finish(asked().pk, "refused", "The data are not ours.", actor=member)
    assert (row.state, row.outcome, row.answer) == ("done", "refused", "The data are not ours.")
    assert actions(row.contact_id)[-1] == "answered"
    for act in (register.resume, register.carry_out):
        with pytest.raises(Conflict) as done:
            act(row.pk, actor=member)
        assert done.value.code == "done"


@pytest.mark.parametrize("outcome", ["", "erased", "lost"])
def test_an_outcome_is_one_of_those_that_a_user_may_give(asked, member, outcome):
    with pytest.raises(Invalid):
        register.finish(asked().pk, outcome, "Words", actor=member)


@pytest.mark.parametrize("kind", ["erasure", "restriction", "objection"])
def test_nothing_ends_as_carried_out_that_was_not_done(asked, member, kind):
    row = asked(kind)
    with pytest.raises(Conflict) as refusal:
        register.finish(row.pk, "carried_out", "Done, as you asked", actor=member)
    assert (refusal.value.code, actions(row.contact_id)[-1]) == ("not_carried_out", "requested")
    assert register.finish(row.pk, "refused", "We need the data", actor=member).outcome == "refused"


def test_what_is_so_already_may_be_answered_by_hand(asked, member):
    objection, restricted = asked("objection"), asked("restriction")
    suppression.unsubscribe(Contact.objects.filter(pk=objection.contact_id), actor=member, source="manual", reason="")
    restriction.restrict(Contact.objects.filter(pk=restricted.contact_id), "Disputed", actor=member)
    ended = [register.finish(row.pk, "carried_out", "It is so", actor=member) for row in (objection, restricted)]
    assert [row.outcome for row in ended] == ["carried_out", "carried_out"]


def test_an_objection_is_carried_out_by_an_unsubscribe(asked, member):
    row = register.carry_out(asked("objection").pk, actor=member)
    assert (row.outcome, row.contact.card.unsubscribed) == ("carried_out", True)


def test_a_restriction_is_carried_out_by_a_restriction(asked, member):
    row = register.carry_out(asked("restriction").pk, actor=member)
    assert ComplianceCard.objects.get(pk=row.contact_id).restricted_at is not None


def test_an_erasure_leaves_the_request_without_the_person(asked, member):
    row = asked("erasure", identity_check="Passport of Anna Berg")
    number = row.contact_id
    register.pause(row.pk, asking("Is it Anna?"), actor=member)
    row = register.carry_out(row.pk, actor=member)
    assert (row.contact, row.state, row.outcome, row.identity_check, row.pause_reason) == (
        None,
        "done",
        "carried_out",
        "",
        "",
    )
    assert list(IdentityNote.objects.values_list("text", flat=True)) == [""]
    assert (row.received, not Contact.objects.exists()) == (DAY, True)
    assert next(event for event in events(number) if event.action == "deleted").changes == {"source": [None, "request"]}


def test_somebody_restricted_is_erased_on_request(asked, member):
    row = asked("restriction")
    person = row.contact_id
    register.carry_out(row.pk, actor=member)
    assert erasure.delete(Contact.objects.filter(pk=person), actor=member).changed == 0
    erase = register.take_in("erasure", person, DAY, identity_check="Called back", actor=member)
    register.carry_out(erase.pk, actor=member)
    assert not Contact.objects.exists()


def test_other_requests_of_somebody_who_is_erased_end_with_it(asked, member):
    row = asked(identity_check="Passport of Anna Berg")
    erasure.delete(Contact.objects.filter(pk=row.contact_id), actor=member)
    row.refresh_from_db()
    assert (row.contact, row.state, row.outcome, row.identity_check) == (None, "done", "erased", "")


@pytest.mark.parametrize("kind", ["access", "portability", "rectification"])
def test_what_no_act_does_is_answered_by_hand(asked, member, kind):
    with pytest.raises(Conflict) as refusal:
        register.carry_out(asked(kind).pk, actor=member)
    assert refusal.value.code == "by_hand"


def test_nothing_is_erased_for_somebody_whose_identity_nobody_checked(asked, member):
    with pytest.raises(Conflict) as refusal:
        register.carry_out(asked("erasure", identity_check="").pk, actor=member)
    assert refusal.value.code == "identity"


def test_looking_is_an_event_once_a_day_and_user(asked, member, auditor):
    row = asked()
    for actor in (member, member, auditor):
        register.view(row.pk, actor=actor)
    assert actions(row.contact_id)[2:] == ["viewed", "viewed"]


def test_who_may_not_may_not(asked, auditor, member):
    row = asked()
    with pytest.raises(Forbidden):
        register.extend(row.pk, complex_(), actor=auditor)
    with pytest.raises(Missing):
        register.extend(row.pk + 1, complex_(), actor=member)


def test_the_clocks_are_counted(asked, bob, alice, member):
    today = timezone.localdate()
    late, soon, later = asked(received=today - dt.timedelta(50)), asked(received=today - dt.timedelta(27)), asked()
    register.assign(later.pk, alice, actor=member)
    done = asked()
    register.finish(done.pk, "withdrawn", "Called it off", actor=member)
    DataRequest.objects.filter(pk=later.pk).update(due=today + dt.timedelta(20))
    assert open_requests.counts() == open_requests.RequestCounts(open=3, paused=0, overdue=1, soon=1)
    assert open_requests.counts(alice.pk) == open_requests.RequestCounts(open=1, paused=0, overdue=0, soon=0)
    assert [row.pk for row in open_requests.queue_of(bob.pk)] == [late.pk, soon.pk]


def test_the_day_of_a_look_is_the_site_s(asked, member, settings):
    settings.TIME_ZONE = "Europe/Stockholm"
    row = asked()
    seen = []
    for moment in ("2026-11-10T22:30Z", "2026-11-10T23:30Z", "2026-11-11T00:30Z", "2026-11-11T22:59Z"):
        with time_machine.travel(moment, tick=False):
            register.view(row.pk, actor=member)
            seen.append(RequestLook.objects.get().day.day)
    assert (seen, actions(row.contact_id)[2:]) == ([10, 11, 11, 11], ["viewed", "viewed"])


@pytest.mark.django_db(transaction=True)
def test_two_looks_at_once_are_one_event(asked, member):
    row = asked()

    def look(_number):
        try:
            register.view(row.pk, actor=member)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(look, range(8)))
    assert actions(row.contact_id)[2:] == ["viewed"]
