import datetime as dt

import pytest

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization, Source
from compliance.card.source_registry import SourceType
from compliance.suppression import suppression
from contacts.models import Contact
from salesconnect.common.filters import filtered, matching_count
from salesconnect.lib.actor import Actor, system

CONSENT = Authorization(AuthorizationType.CONSENT, consent_date=dt.date(2026, 3, 1), consent_purpose="Newsletter")
FILTERS = [
    {},
    {"authorization_type": "consent"},
    {"authorization_type": "consent,not_recorded"},
    {"source_type": "import"},
    {"source_type": "not_recorded", "authorization_type": "not_recorded"},
    {"unsubscribed": "true"},
    {"unsubscribed": "false", "company": "exempel"},
    {"verdict": "may"},
    {"verdict": "ask_first"},
    {"verdict": "may_not"},
    {"restricted": "true"},
    {"restricted": "false", "source_type": "import"},
    {"to_inform": "true"},
    {"to_inform": "overdue"},
    {"review": "consent"},
    {"review": "legitimate_interest"},
    {},
    {"consent_before": "2026-03-02"},
    {"consent_after": "2026-03-02", "unsubscribed": "true"},
    {"authorization_type": "not_recorded,consent", "source_type": "import", "unsubscribed": "false"},
    {"updated_after": "2020-01-01"},
    {"updated_before": "2020-01-01"},
    {"created_after": "2020-01-01"},
    {"search": "berg"},
]


@pytest.fixture
def people(person):
    person(last_name="Berg", email="a@example.com", authorization=CONSENT, source=Source(SourceType.IMPORT))
    person(last_name="Dahl", email="b@example.com", authorization=CONSENT, company="Exempel AB")
    person(last_name="Lind", email="c@example.com")
    person(last_name="Ek", email="d@example.com", source=Source(SourceType.OTHER, "fair"))
    suppression.unsubscribe(Contact.objects.filter(last_name="Dahl"), actor=system("command"), source="manual")


@pytest.mark.parametrize("query", FILTERS)
def test_the_count_is_that_of_the_list_however_it_is_counted(people, member, query):
    people = filtered(member, query)
    assert matching_count(people, query) == (people.count(), False)


def test_the_count_stops_at_its_cap(people, member):
    subscribed = {"unsubscribed": "false"}
    assert matching_count(filtered(member, {}), {}, cap=3) == (3, True)
    assert matching_count(filtered(member, subscribed), subscribed, cap=2) == (2, True)
    assert matching_count(filtered(member, subscribed), subscribed, cap=3) == (3, False)


def test_who_may_see_nobody_counts_nobody(people):
    stranger = Actor(1, "stranger", "", "page")
    query = {"unsubscribed": "false"}
    assert matching_count(filtered(stranger, query), query) == (0, False)
