"""The compliance card and the verdict in the API."""

import datetime as dt

import pytest
import time_machine

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization, Source
from compliance.card.source_registry import SourceType
from compliance.suppression import suppression
from contacts.models import Contact
from exports.erasure import erasure
from tests.interleaving import overlapping

CONSENT = Authorization(AuthorizationType.CONSENT, consent_date=dt.date(2026, 3, 1), consent_purpose="Newsletter")
CARD = {
    "authorization_type": "consent",
    "authorization_other": "",
    "consent_date": "2026-03-01",
    "consent_purpose": "Newsletter",
    "source_type": "import",
    "source_other": "",
}


@pytest.fixture
def address(person) -> str:
    anna = person(authorization=CONSENT, source=Source(SourceType.IMPORT), email="a@example.com")
    return f"/api/v1/contacts/{anna.pk}/"


def test_the_card_is_shown_with_the_persons_version(api, address):
    answer = api.get(f"{address}compliance/")
    assert (answer.status_code, answer["ETag"], answer.json()) == (200, '"1"', CARD)


def test_patch_changes_a_half_and_put_replaces_both(api, address):
    assert api.patch(f"{address}compliance/", {"source_type": "crm_sync"}, "json").json() == CARD | {
        "source_type": "crm_sync"
    }
    assert api.put(f"{address}compliance/", {"source_type": "crm_sync"}, "json").json() == {
        "authorization_type": None,
        "authorization_other": "",
        "consent_date": None,
        "consent_purpose": "",
        "source_type": "crm_sync",
        "source_other": "",
    }


def test_a_broken_rule_is_named_by_its_field(api, address):
    body = {"authorization_type": "contract", "consent_date": "2026-03-01"}
    answer = api.patch(f"{address}compliance/", body, "json")
    assert (answer.status_code, list(answer.json())) == (400, ["consent_date"])


def test_a_stale_change_shows_both_cards(api, address):
    api.patch(address, {"title": "CEO"}, "json")
    answer = api.patch(f"{address}compliance/", {"source_type": None}, "json", headers={"If-Match": '"1"'})
    assert (answer.status_code, answer.json()["current"], answer.json()["yours"]) == (412, CARD, {"source_type": None})


def test_the_verdict_comes_with_its_reasons_and_its_moment(api, address):
    with time_machine.travel(dt.datetime(2026, 11, 23, 10, 15, tzinfo=dt.UTC), tick=False):
        assert api.get(f"{address}verdict/").json() == {
            "verdict": "may",
            "reasons": [
                {"code": "authorization", "text": "Consent of 1 March 2026 for Newsletter.", "effect": "may"},
            ],
            "as_of": "2026-11-23T10:15:00.000000Z",
        }


@time_machine.travel(dt.datetime(2026, 11, 23, 10, 15, tzinfo=dt.UTC), tick=False)
def test_an_opt_out_forbids(api, address, member):
    suppression.unsubscribe(Contact.objects.all(), actor=member, source="manual")
    body = api.get(f"{address}verdict/").json()
    assert (body["verdict"], [reason["code"] for reason in body["reasons"]]) == (
        "may_not",
        ["unsubscribed", "authorization"],
    )


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "order",
    [
        ("post", "restriction/", {"reason": "Disputed"}),
        ("delete", "restriction/", {"reason": "Settled"}),
        ("post", "unsubscribes/", {"reason": "By phone"}),
        ("patch", "compliance/", {"source_type": "other"}),
        ("post", "not-the-same/", {}),
    ],
)
def test_who_is_deleted_while_something_is_asked_is_not_found(api, person, member, order):
    method, path, body = order
    anna, answers = person(email="a@example.com"), []
    overlapping(
        lambda: erasure.erase(anna.pk, actor=member),
        lambda: answers.append(getattr(api, method)(f"/api/v1/contacts/{anna.pk}/{path}", body, format="json")),
    )
    assert [answer.status_code for answer in answers] == [404]
