"""Bulk orders in the API: looked at, undone, cancelled."""

import pytest

from contacts.jobs import batches
from contacts.models import Batch


@pytest.fixture
def order(api, person):
    """Return a function that orders something for two people and returns the answer's body."""
    people = [person(email="a@example.com"), person(email="b@example.com")]

    def give(act: str = "source", **words):
        selection = {"ids": [contact.pk for contact in people]}
        words = words or ({"source_type": "import"} if act == "source" else {})
        return api.post(f"/api/v1/bulk/{act}/", {"selection": selection, **words}, "json").json()

    return give


def test_a_batch_is_shown_as_it_was_answered(api, order):
    body = order()
    assert api.get(f"/api/v1/batches/{body['batch']}/").json() == body
    assert (body["actor"], body["changed"], body["undoes"], body["error"]) == ("bob", 2, None, "")


def test_batches_are_listed_newest_first(api, order):
    first, second = order()["batch"], order(source_type=None)["batch"]
    page = api.get("/api/v1/batches/?page_size=1").json()
    assert [row["batch"] for row in page["results"]] == [second]
    assert [row["batch"] for row in api.get(page["next"]).json()["results"]] == [first]


@pytest.mark.parametrize("rows", [1, 3])
def test_a_list_of_batches_takes_two_queries(api, order, rows, django_assert_num_queries):
    for _ in range(rows):
        order()
    with django_assert_num_queries(2):  # the token and the batches
        assert len(api.get("/api/v1/batches/").json()["results"]) == rows


def test_undo_is_a_batch_that_leaves_alone_who_was_changed_since(api, order):
    body = order()
    anna = {"filter": {"search": "a@example.com"}}
    api.post("/api/v1/bulk/source/", {"selection": anna, "source_type": "crm_sync"}, "json")
    undo = api.post(f"/api/v1/batches/{body['batch']}/undo/")
    assert undo.status_code == 200
    assert (undo.json()["kind"], undo.json()["undoes"], undo.json()["changed"]) == ("undo", body["batch"], 1)
    assert undo.json()["refused"] == [{"reason": "changed_since", "count": 1}]
    [changed] = api.get("/api/v1/contacts/?search=a@example.com").json()["results"]
    refused = api.get(f"/api/v1/batches/{undo.json()['batch']}/refused/").json()["results"]
    assert refused == [{"contact": changed["id"], "reason": "changed_since"}]
    again = api.post(f"/api/v1/batches/{body['batch']}/undo/")
    assert (again.status_code, again.json()["code"]) == (409, "undone_before")


@pytest.mark.parametrize("act", ["unsubscribe", "delete"])
def test_only_cards_can_be_undone(api, order, act):
    answer = api.post(f"/api/v1/batches/{order(act)['batch']}/undo/")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_undoable")


def test_a_waiting_batch_can_be_cancelled_once(api, order, monkeypatch):
    monkeypatch.setattr(batches, "INLINE_LIMIT", 1)
    number = order()["batch"]
    answer = api.post(f"/api/v1/batches/{number}/cancel/", {}, "json")
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    again = api.post(f"/api/v1/batches/{number}/cancel/")
    assert (again.status_code, again.json()["code"]) == (409, "ended")


@pytest.mark.parametrize("act", ["undo", "cancel"])
def test_an_order_to_a_batch_takes_no_words_and_a_batch_that_is_there(api, order, act):
    number = order()["batch"]
    answer = api.post(f"/api/v1/batches/{number}/{act}/", {"force": True}, "json")
    assert (answer.status_code, list(answer.json())) == (400, ["force"])
    assert api.post(f"/api/v1/batches/{number + 1}/{act}/").status_code == 404
    assert Batch.objects.count() == 1
