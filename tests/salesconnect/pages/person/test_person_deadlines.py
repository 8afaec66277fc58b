"""What the page of a person says of open requests and of an erasure that is announced."""

import datetime as dt

import pytest
from django.utils import timezone
from django.utils.formats import date_format

from compliance.review import restriction
from contacts.models import Contact
from exports.requests import register
from exports.retention import retention_rules

DAY = dt.timedelta(days=1)


@pytest.fixture
def warned(administrator):
    """Return a function that lets a rule have warned of somebody some days ago."""

    def warn(anna: Contact, days_ago: int = 0, **rule):
        given = {"name": "Old leads", "age_months": 36, "step": "erase"} | rule
        made = retention_rules.save(given, actor=administrator)
        made.cases.create(contact=anna, warned_at=timezone.now() - days_ago * DAY)
        return made

    return warn


def page_of(client, anna: Contact) -> str:
    return " ".join(client.get(f"/people/{anna.pk}/").text.split())


def test_open_requests_stand_on_the_page_with_what_is_late(signed_in, person, member):
    anna, today = person(), timezone.localdate()
    late = register.take_in("erasure", anna.pk, today - 60 * DAY, actor=member)
    paused = register.take_in("access", anna.pk, today, actor=member)
    register.pause(paused.pk, register.ClockReason("identity", "Who is it?", today), actor=member)
    done = register.take_in("portability", anna.pk, today, actor=member)
    register.finish(done.pk, "withdrawn", "Called it off", actor=member)
    text = page_of(signed_in, anna)
    assert text.index(f'href="/requests/{late.pk}/"') < text.index(f'href="/requests/{paused.pk}/"')
    assert date_format(late.due) in text
    assert "mark-may_not" in text
    assert "overdue" in text
    assert "Paused since" in text
    assert f'href="/requests/{done.pk}/"' not in text


def test_a_page_without_clocks_says_nothing_of_them(signed_in, person):
    text = page_of(signed_in, person())
    assert "Open requests" not in text
    assert "by the rule" not in text


def test_an_erasure_is_announced_with_its_day_and_rule(signed_in, person, warned):
    anna = person()
    rule = warned(anna, warn_days=30)
    link = f'<a href="/settings/retention/{rule.pk}/people/">Old leads</a>'
    day = date_format(timezone.localdate(timezone.now() + 30 * DAY))
    assert f"Will be erased from {day} on by the rule “{link}”." in page_of(signed_in, anna)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"warn_days": 30}, "Will be erased with the next run by the rule"),
        ({"step": "warn"}, "Held for longer than the rule"),
    ],
)
def test_the_warning_says_how_far_the_rule_is(signed_in, person, warned, rule, words):
    anna = person()
    warned(anna, days_ago=31, **rule)
    assert words in page_of(signed_in, anna)


@pytest.mark.parametrize("rule", [{"active": False}, {"step": "list"}])
def test_a_rule_that_is_off_or_only_lists_warns_of_nobody(signed_in, person, warned, rule):
    anna = person()
    warned(anna, **rule)
    assert "Old leads" not in page_of(signed_in, anna)


def test_what_holds_an_erasure_back_is_said(signed_in, person, warned, member):
    anna = person()
    warned(anna)
    register.take_in("access", anna.pk, timezone.localdate(), actor=member)
    assert "Not while a request waits for its answer." in page_of(signed_in, anna)
    restriction.restrict(Contact.objects.filter(pk=anna.pk), "Disputed", actor=member)
    assert "Not while processing is restricted." in page_of(signed_in, anna)


def test_the_page_costs_the_same_however_much_waits(signed_in, person, member, warned, django_assert_num_queries):
    anna = person()
    for more in (["first"], ["second", "third"]):
        for each in more:
            register.take_in("access", anna.pk, timezone.localdate(), actor=member)
            warned(anna, name=f"The {each}")
        with django_assert_num_queries(14):
            signed_in.get(f"/people/{anna.pk}/")
