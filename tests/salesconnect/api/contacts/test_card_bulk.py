"""Bulk acts in the API."""

import datetime as dt

import pytest

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from compliance.models import ComplianceCard
from contacts.jobs import batches
from contacts.models import Batch, BatchChunk, Contact

CONSENT = Authorization(AuthorizationType.CONSENT, consent_date=dt.date(2026, 3, 1), consent_purpose="Newsletter")
CONTRACT = Authorization(AuthorizationType.CONTRACT)
NOBODY = 2**62


@pytest.fixture
def two(person) -> list[Contact]:
    return [person(email="a@example.com", authorization=CONSENT), person(email="b@example.com", authorization=CONTRACT)]


@pytest.fixture
def many_are_two(monkeypatch) -> None:
    """Leave orders for two people to the worker."""
    monkeypatch.setattr(batches, "INLINE_LIMIT", 1)


def bulk(api, act: str, body: dict, **headers: str):
    return api.post(f"/api/v1/bulk/{act}/", body, "json", headers=headers)


def counts(answer) -> dict:
    names = ("kind", "state", "total", "done", "changed", "unchanged", "refused")
    return {name: answer.json()[name] for name in names}


def test_authorization_changes_who_differs_and_refuses_who_is_nobody(api, two):
    selection = {"ids": [two[0].pk, two[1].pk, two[1].pk, NOBODY]}
    answer = bulk(api, "authorization", {"selection": selection, "authorization_type": "contract"})
    assert answer.status_code == 200
    assert counts(answer) == {
        "kind": "authorization",
        "state": "done",
        "total": 3,
        "done": 3,
        "changed": 1,
        "unchanged": 1,
        "refused": [{"reason": "not_found", "count": 1}],
    }
    assert set(ComplianceCard.objects.values_list("authorization_type", flat=True)) == {AuthorizationType.CONTRACT}


def test_a_dry_run_counts_and_changes_nothing(api, two):
    body = {"selection": {"filter": {}}, "authorization_type": "contract", "dry_run": True}
    answer = bulk(api, "authorization", body)
    assert answer.status_code == 200
    assert answer.json() == {
        "batch": None,
        "kind": "authorization",
        "state": "done",
        "total": 2,
        "done": 2,
        "changed": 1,
        "unchanged": 1,
        "refused": [],
        "consents_ended": 1,
        "consents_replaced": 0,
    }
    assert (Batch.objects.count(), ComplianceCard.objects.filter(version=1).count()) == (0, 2)


def test_a_dry_run_says_which_consents_would_be_replaced(api, two):
    consent = {"authorization_type": "consent", "consent_date": "2026-02-01", "consent_purpose": "Another"}
    answer = bulk(api, "authorization", {"selection": {"filter": {}}, **consent, "dry_run": True}).json()
    assert (answer["consents_ended"], answer["consents_replaced"]) == (0, 1)


@pytest.mark.parametrize(
    ("act", "words", "changed"),
    [
        ("source", {"source_type": "other", "source_other": "fair"}, 2),
        ("source", {"source_type": None}, 0),
        ("authorization", {"authorization_type": None}, 2),
        ("unsubscribe", {"reason": "asked by phone"}, 2),
        ("delete", {}, 2),
    ],
)
def test_a_dry_run_says_what_the_order_then_does(api, two, act, words, changed):
    body = {"selection": {"filter": {}}, **words}
    dry = counts(bulk(api, act, body | {"dry_run": True}))
    assert dry == counts(bulk(api, act, body))
    assert (dry["kind"], dry["changed"], dry["unchanged"]) == (act, changed, 2 - changed)


def test_a_filter_means_who_matches_but_for_the_exceptions(api, two):
    selection = {"filter": {"authorization_type": "consent,contract"}, "exclude": [two[0].pk]}
    assert bulk(api, "delete", {"selection": selection}).json()["changed"] == 1
    assert list(Contact.objects.values_list("pk", flat=True)) == [two[0].pk]


@pytest.mark.usefixtures("two", "many_are_two")
def test_more_than_five_thousand_wait_for_the_worker(api):
    answer = bulk(api, "authorization", {"selection": {"filter": {}}, "authorization_type": None})
    assert (answer.status_code, counts(answer)["state"], counts(answer)["done"]) == (202, "queued", 0)


def test_a_hundred_thousand_ids_fit(api, two):
    ids = [two[0].pk, *range(10**14, 10**14 + 99_999)]
    answer = bulk(api, "unsubscribe", {"selection": {"ids": ids}})
    assert (answer.status_code, counts(answer)["changed"], counts(answer)["refused"]) == (
        200,
        1,
        [{"reason": "not_found", "count": 99_999}],
    )


@pytest.mark.parametrize(
    ("selection", "name"),
    [
        ({}, "selection"),
        ({"ids": []}, "selection"),
        ({"ids": None}, "selection"),
        ({"ids": [1], "filter": {}}, "selection"),
        ({"ids": [1], "exclude": [2]}, "selection"),
        ({"exclude": [1]}, "selection"),
        ({"everyone": True}, "selection"),
        ({"ids": ["1"]}, "selection"),
        ({"ids": [1.0]}, "selection"),
        ({"ids": [True]}, "selection"),
        ({"ids": [0]}, "selection"),
        ({"ids": [10**30]}, "selection"),
        ({"filter": None}, "selection"),
        ({"filter": {}, "exclude": "1"}, "selection"),
        ({"filter": {"autorization_type": "consent"}}, "autorization_type"),
        ({"filter": {"page_size": 5}}, "page_size"),
        ({"filter": {"ordering": "id"}}, "ordering"),
        ({"filter": {"search": None}}, "search"),
        ({"filter": {"search": ""}}, "search"),
        ({"filter": {"search": "  "}}, "search"),
        ({"filter": {"company": ["", " "]}}, "company"),
        ({"filter": {"authorization_type": []}}, "authorization_type"),
        ({"filter": {"authorization_type": ","}}, "authorization_type"),
        ({"filter": {"owner": {"id": 1}}}, "owner"),
        ([1], "selection"),
        ("everyone", "selection"),
        (None, "selection"),
    ],
)
def test_a_selection_that_is_not_plain_means_nobody(api, two, selection, name):
    for dry_run in (True, False):
        answer = bulk(api, "delete", {"selection": selection, "dry_run": dry_run})
        assert (answer.status_code, list(answer.json())) == (400, [name])
    assert Contact.objects.count() == 2


@pytest.mark.parametrize(
    ("act", "words", "errors"),
    [
        ("authorization", {}, {"authorization_type"}),
        ("authorization", {"authorization_type": "consent"}, {"consent_date", "consent_purpose"}),
        ("authorization", {"authorization_type": "contract", "consent_date": "2026-03-01"}, {"consent_date"}),
        ("authorization", {"authorization_type": "contract", "source_type": "import"}, {"source_type"}),
        ("authorization", {"authorization_type": "contract", "dryrun": True}, {"dryrun"}),
        ("authorization", {"authorization_type": "contract", "dry_run": "perhaps"}, {"dry_run"}),
        ("source", {}, {"source_type"}),
        ("source", {"source_type": "import", "source_other": "x"}, {"source_other"}),
        ("unsubscribe", {"reason": "x" * 501}, {"reason"}),
        ("delete", {"really": True}, {"really"}),
    ],
)
@pytest.mark.usefixtures("two", "many_are_two")
def test_a_wrong_word_is_refused_before_anybody_is_touched(api, act, words, errors):
    for dry_run in ({}, {"dry_run": True}):
        answer = bulk(api, act, {"selection": {"filter": {}}, **dry_run, **words})
        assert (answer.status_code, set(answer.json())) == (400, errors)
    assert (Batch.objects.count(), BatchChunk.objects.count()) == (0, 0)
