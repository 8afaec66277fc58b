import datetime as dt
import json
from itertools import pairwise

import pytest
from django.db import connection
from django.utils import timezone

from compliance.models import Suppression
from compliance.suppression import suppression
from contacts.events import history
from contacts.models import Contact
from contacts.people.addresses import address_hash, newest_key
from exports.erasure import erasure
from tests.evidence import evidence
from unsubscribes.evidence.reconsent import reconsent
from unsubscribes.merging.merge import merge
from unsubscribes.opt_outs import listing
from unsubscribes.opt_outs.listing import OptOutFilter

TODAY = dt.date(2026, 11, 24)


def opt_out(someone, actor, source="manual", reason=""):
    suppression.unsubscribe(Contact.objects.filter(pk=someone.pk), actor=actor, source=source, reason=reason)


def told(**wanted):
    entries = listing.page(OptOutFilter(**wanted), cursor=None, size=50).rows
    return [(entry.kind, entry.source, entry.person and str(entry.person)) for entry in entries]


@pytest.fixture
def anna(person, administrator):
    someone = person(first_name="Anna", last_name="Berg", email="anna@example.com")
    opt_out(someone, administrator, "clicked_link", "Too much")
    return someone


@pytest.fixture
def lars(person, administrator):
    someone = person(first_name="Lars", last_name="Lind", email="lars@example.com")
    opt_out(someone, administrator)
    reconsent(someone.pk, evidence(), actor=administrator)
    return someone


def test_the_list_tells_who_said_what_newest_first(anna, lars):
    assert told() == [
        ("resubscribed", "re_consent", "Lars Lind"),
        ("unsubscribed", "manual", "Lars Lind"),
        ("unsubscribed", "clicked_link", "Anna Berg"),
    ]


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        ({"kind": "unsubscribed"}, 2),
        ({"kind": "resubscribed"}, 1),
        ({"source": "clicked_link"}, 1),
        ({"source": "re_consent"}, 1),
        ({"search": "lind"}, 2),
        ({"search": "lind", "kind": "resubscribed"}, 1),
        ({"search": "nobody"}, 0),
        ({"until": dt.date(2026, 1, 1)}, 0),
        ({"since": dt.date(9999, 1, 1)}, 0),
    ],
)
def test_the_list_is_narrowed(anna, lars, wanted, number):
    assert len(told(**wanted)) == listing.events(OptOutFilter(**wanted)).count() == number


def test_a_day_includes_its_whole_length(anna):
    today = timezone.localdate()
    assert len(told(since=today, until=today)) == 1


def test_what_was_said_by_whoever_was_merged_into_a_person_is_found_by_the_name(anna, person, administrator):
    bo, cecilia = person(email="bo@example.com", last_name="Bo"), person(email="c@example.com", last_name="Cecilia")
    merge(bo.pk, anna.pk, actor=administrator)
    merge(cecilia.pk, bo.pk, actor=administrator)
    # Anna's own word, and one for each whom it was passed on to.
    assert told(search="Cecilia") == told() == [("unsubscribed", "clicked_link", "Anna Cecilia")] * 3


def test_somebody_who_was_deleted_stays_in_the_list_without_a_name(anna, member):
    erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
    assert told() == [("unsubscribed", "clicked_link", None)]
    assert [held.source for held in listing.addresses_of_nobody_page(OptOutFilter(), cursor=None, size=50).rows] == [
        "clicked_link"
    ]


def test_an_address_of_nobody_is_found_by_the_whole_of_it(anna):
    Suppression.objects.create(address_hash=address_hash("x@example.com"), hash_key=newest_key(), source="import")
    assert listing.addresses_of_nobody(OptOutFilter()).count() == 1
    assert listing.addresses_of_nobody(OptOutFilter(search="X@Example.com")).count() == 1
    assert listing.addresses_of_nobody(OptOutFilter(search="example.com")).count() == 0
    assert listing.addresses_of_nobody(OptOutFilter(search="anna@example.com")).count() == 0
    assert listing.addresses_of_nobody(OptOutFilter(source="bounce")).count() == 0


def test_pages_follow_each_other(person, member):
    for number in range(5):
        opt_out(person(email=f"p{number}@example.com"), member)
    first = listing.page(OptOutFilter(), cursor=None, size=2)
    second = listing.page(OptOutFilter(), cursor=first.next, size=2)
    names = [entry.person.email for entry in (*first.rows, *second.rows)]
    assert names == ["p4@example.com", "p3@example.com", "p2@example.com", "p1@example.com"]
    assert listing.page(OptOutFilter(), cursor=second.previous, size=2).rows == first.rows


@pytest.mark.parametrize(
    ("unit", "today", "first", "last"),
    [
        ("week", dt.date(2026, 11, 24), dt.date(2026, 9, 7), dt.date(2026, 11, 29)),
        ("week", dt.date(2026, 11, 23), dt.date(2026, 9, 7), dt.date(2026, 11, 29)),
        ("month", dt.date(2026, 11, 24), dt.date(2025, 12, 1), dt.date(2026, 11, 30)),
        ("month", dt.date(2027, 2, 1), dt.date(2026, 3, 1), dt.date(2027, 2, 28)),
    ],
)
def test_the_figures_cover_twelve_periods_without_a_gap(db, unit, today, first, last):
    periods = listing.figures(unit, today)
    assert (len(periods), periods[0].first, periods[-1].last) == (12, first, last)
    for before, after in pairwise(periods):
        assert after.first - before.last == dt.timedelta(days=1)


@pytest.mark.parametrize("unit", ["week", "month"])
def test_every_number_of_the_figures_equals_its_list(db, member, unit):
    zone = timezone.get_default_timezone()
    # Days at the edges of weeks and months, and minutes around midnight here that are another day in UTC.
    moments = [dt.datetime(2026, 11, day, hour, 30, tzinfo=zone) for day in (1, 2, 8, 9, 24) for hour in (0, 23)]
    for place, moment in enumerate(moments):
        action = history.RESUBSCRIBED if place % 3 == 0 else history.UNSUBSCRIBED
        _happened(moment, action)
    periods = listing.figures(unit, TODAY)
    assert sum(period.unsubscribed + period.resubscribed for period in periods) == len(moments)
    for period in periods:
        for kind in listing.OPT_OUT_ACTIONS:
            listed = listing.events(OptOutFilter(kind=kind, since=period.first, until=period.last)).count()
            assert getattr(period, kind) == listed


def _happened(moment, action):
    with connection.cursor() as cursor:
        cursor.execute("SELECT contacts_make_event_partition(%s)", [moment.astimezone(dt.UTC).date()])
        cursor.execute(
            "INSERT INTO contacts_contactevent (at, contact_id, action, door, actor_name)"
            " VALUES (%s, 1, %s, 'page', '')",
            [moment, action],
        )


MANY = """
    INSERT INTO contacts_contactevent (contact_id, action, door, actor_name, changes)
    SELECT n, CASE WHEN n % 4000 = 0 THEN 'resubscribed' ELSE 'unsubscribed' END, 'page', 'x',
           jsonb_build_object('source', jsonb_build_array(NULL, CASE n % 5000 WHEN 0 THEN 'complaint' ELSE 'x' END))
    FROM generate_series(1, 20000) n
"""


def looked_at(plan: dict) -> int:
    """Return how many rows the scans of a plan looked at."""
    own = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0) if plan.get("Relation Name") else 0
    return own + sum(looked_at(below) for below in plan.get("Plans", []))


@pytest.mark.parametrize(
    ("wanted", "few"),
    [
        (OptOutFilter(source="complaint"), 4),
        (OptOutFilter(kind="unsubscribed", source="complaint"), 4),
        (OptOutFilter(kind="resubscribed"), 5),
        (OptOutFilter(), 50),
    ],
)
def test_a_page_of_few_among_many_reads_few(db, wanted, few):
    with connection.cursor() as cursor:
        cursor.execute(MANY)
        cursor.execute("ANALYZE contacts_contactevent")
    page = listing.events(wanted).order_by("-at", "-id")[:50]
    [told] = json.loads(page.explain(format="json", analyze=True))
    assert looked_at(told["Plan"]) <= few
