"""Requests of people from receipt to answer: each act, its refusals, and what is left after an erasure."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from compliance.models import ComplianceCard
from contacts import history
from contacts.models import Contact
from exports import clocks, erasure, register
from exports.models import DataRequest, RequestLook
from salesconnect.lib.errors import Conflict, Forbidden, Invalid, Missing

DAY = dt.date(2026, 11, 10)


@pytest.fixture
def asked(person, member):
    """Return a function that registers a request of a new person."""

    def ask(kind="access", **given):
        given = {"identity_check": "Called back"} | given
        return register.take_in(kind, person(last_name="Berg").pk, given.pop("received", DAY), actor=member, **given)

    return ask


def actions(contact_id: int) -> list[str]:
    return [event.action for event in history.of_contact(contact_id).order_by("id")]


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
    row = register.extend(asked().pk, "Very many records", actor=member)
    assert (row.due, row.extended_on) == (dt.date(2027, 2, 10), timezone.localdate())
    with pytest.raises(Conflict) as again:
        register.extend(row.pk, "More", actor=member)
    assert again.value.code == "extended"
    with pytest.raises(Invalid):
        register.pause(row.pk, " ", actor=member)


def test_a_pause_adds_its_days(asked, member):
    row = register.pause(asked().pk, "Who is it?", actor=member)
    assert (row.state, clocks.counts().paused) == ("paused", 1)
    with pytest.raises(Conflict) as again:
        register.pause(row.pk, "Who?", actor=member)
    assert again.value.code == "paused"
    DataRequest.objects.update(paused_on=timezone.localdate() - dt.timedelta(days=4))
    row = register.resume(row.pk, actor=member)
    assert (row.state, row.paused_days, row.due, row.pause_reason) == ("open", 4, dt.date(2026, 12, 14), "")
    with pytest.raises(Conflict) as again:
        register.resume(row.pk, actor=member)
    assert again.value.code == "running"


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


def test_an_objection_is_carried_out_by_an_unsubscribe(asked, member):
    row = register.carry_out(asked("objection").pk, actor=member)
    assert (row.outcome, row.contact.card.unsubscribed) == ("carried_out", True)


def test_a_restriction_is_carried_out_by_a_restriction(asked, member):
    row = register.carry_out(asked("restriction").pk, actor=member)
    assert ComplianceCard.objects.get(pk=row.contact_id).restricted_at is not None


def test_an_erasure_leaves_the_request_without_the_person(asked, member):
    row = asked("erasure", identity_check="Passport of Anna Berg")
    number = row.contact_id
    register.pause(row.pk, "Is it Anna?", actor=member)
    row = register.carry_out(row.pk, actor=member)
    assert (row.contact, row.state, row.outcome, row.identity_check, row.pause_reason) == (
        None,
        "done",
        "carried_out",
        "",
        "",
    )
    assert (row.received, not Contact.objects.exists()) == (DAY, True)
    assert history.of_contact(number).first().changes == {"source": [None, "request"]}


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
        register.look(row.pk, actor=actor)
    assert actions(row.contact_id)[2:] == ["viewed", "viewed"]


def test_who_may_not_may_not(asked, auditor, member):
    row = asked()
    with pytest.raises(Forbidden):
        register.extend(row.pk, "Why", actor=auditor)
    with pytest.raises(Missing):
        register.extend(row.pk + 1, "Why", actor=member)


def test_the_clocks_are_counted(asked, bob, alice, member):
    today = timezone.localdate()
    late, soon, later = asked(received=today - dt.timedelta(50)), asked(received=today - dt.timedelta(27)), asked()
    register.assign(later.pk, alice, actor=member)
    done = asked()
    register.finish(done.pk, "withdrawn", "Called it off", actor=member)
    DataRequest.objects.filter(pk=later.pk).update(due=today + dt.timedelta(20))
    assert clocks.counts() == clocks.Clocks(open=3, paused=0, overdue=1, soon=1)
    assert clocks.counts(alice.pk) == clocks.Clocks(open=1, paused=0, overdue=0, soon=0)
    assert [row.pk for row in clocks.queue_of(bob.pk)] == [late.pk, soon.pk]


def test_the_day_of_a_look_is_the_site_s(asked, member, settings):
    settings.TIME_ZONE = "Europe/Stockholm"
    row = asked()
    seen = []
    for moment in ("2026-11-10T22:30Z", "2026-11-10T23:30Z", "2026-11-11T00:30Z", "2026-11-11T22:59Z"):
        with time_machine.travel(moment, tick=False):
            register.look(row.pk, actor=member)
            seen.append(RequestLook.objects.get().day.day)
    assert (seen, actions(row.contact_id)[2:]) == ([10, 11, 11, 11], ["viewed", "viewed"])


@pytest.mark.django_db(transaction=True)
def test_two_looks_at_once_are_one_event(asked, member):
    row = asked()

    def look(_number):
        try:
            register.look(row.pk, actor=member)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(look, range(8)))
    assert actions(row.contact_id)[2:] == ["viewed"]
