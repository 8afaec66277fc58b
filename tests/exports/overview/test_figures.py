import datetime as dt

import pytest
from django.db import transaction

from compliance.card import tallying
from compliance.models import CardTally, ComplianceCard
from compliance.verdict.reason_registry import months_before
from contacts.models import Contact
from exports.overview import figures
from tests.exports.overview.acts import Team
from tests.soak import seeds


@pytest.mark.soak
@pytest.mark.parametrize("seed", seeds(1, 10))
def test_adding_up_leaves_one_row_for_each_kind(administrator, seed):
    team = Team(seed, administrator)
    for _ in range(40):
        team.act()
    tallying.settle()
    kept = list(CardTally.objects.values_list("authorization_type", "source_type", "unsubscribed", "consent_date"))
    cards = ComplianceCard.objects.values_list("authorization_type", "source_type", "unsubscribed", "consent_date")
    assert sorted(map(str, kept)) == sorted(map(str, set(cards)))
    Contact.objects.all().delete()
    tallying.settle()
    assert not CardTally.objects.exists()


def test_what_is_rolled_back_was_never_counted(administrator, person):
    person(email="a@example.com")
    with transaction.atomic():
        person(email="b@example.com")
        assert figures.now()["total"] == {"": 2}
        transaction.set_rollback(True)
    assert figures.now()["total"] == {"": 1}


@pytest.mark.parametrize(
    ("day", "months", "earlier"),
    [
        (dt.date(2026, 3, 31), 1, dt.date(2026, 2, 28)),
        (dt.date(2026, 1, 15), 1, dt.date(2025, 12, 15)),
        (dt.date(2028, 2, 29), 12, dt.date(2027, 2, 28)),
        (dt.date(2026, 11, 27), 36, dt.date(2023, 11, 27)),
    ],
)
def test_months_end_on_days_that_exist(day, months, earlier):
    assert months_before(day, months) == earlier


def test_every_day_falls_into_exactly_one_age():
    today = dt.date(2026, 3, 31)
    for back in range(1_500):
        day = today - dt.timedelta(days=back)
        assert sum(age.holds(day) for age in figures.ages(today)) == 1
