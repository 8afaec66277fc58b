"""What people said about mail, in the API."""

import pytest

from compliance.models import Suppression
from compliance.suppression import suppression
from contacts.models import Contact
from salesconnect.api.protocol.base import utc


@pytest.fixture
def address(person) -> str:
    anna = person(email="Anna@Example.com")
    return f"/api/v1/contacts/{anna.pk}/unsubscribes/"


def test_an_opt_out_is_listed_with_its_reason_and_who_recorded_it(api, address):
    answer = api.post(address, {"reason": "asked by phone"}, "json")
    entry = answer.json()
    assert answer.status_code == 201
    assert entry == {
        "date": entry["date"],
        "kind": "unsubscribed",
        "source": "manual",
        "reason": "asked by phone",
        "actor": "bob",
        "evidence": None,
    }
    assert api.get(address).json() == {"next": None, "previous": None, "results": [entry]}


def test_a_second_opt_out_is_no_second_entry(api, address):
    first = api.post(address, {"reason": "asked by phone"}, "json").json()
    again = api.post(address, {"reason": "asked again"}, "json")
    assert (again.status_code, again.json()) == (200, first)
    assert api.get(address).json()["results"] == [first]


@pytest.mark.parametrize("body", [{"reason": "x" * 501}, {"reason": ["x"]}, {"why": "x"}])
def test_a_wrong_opt_out_is_refused(api, address, body):
    answer = api.post(address, body, "json")
    assert (answer.status_code, list(answer.json())) == (400, list(body))
    assert api.get(address).json()["results"] == []


def test_nobody_is_not_found(api, db):
    assert (api.get("/api/v1/contacts/1/unsubscribes/").status_code) == 404
    assert (api.post("/api/v1/contacts/1/unsubscribes/", {}, "json").status_code) == 404


def test_an_address_is_suppressed_also_when_its_person_is_gone(api, address, member):
    suppression.unsubscribe(Contact.objects.all(), actor=member, source="clicked_link", reason="too many")
    since = utc(Suppression.objects.get().since)
    Contact.objects.all().delete()
    assert api.get("/api/v1/suppressions/", {"email": " ANNA@example.com "}).json() == {
        "suppressed": True,
        "since": since,
        "reason": "too many",
        "source": "clicked_link",
    }


def test_an_address_that_said_nothing_may_be_mailed(api, address):
    nothing = {"suppressed": False, "since": None, "reason": None, "source": None}
    assert api.get("/api/v1/suppressions/?email=lars@example.com").json() == nothing


@pytest.mark.parametrize("query", ["", "email=", "email=anna", "email=%00", "email=a@b.c&email=d@e.fg", "mail=a@b.cd"])
def test_a_question_about_no_address_is_refused(api, db, query):
    assert api.get(f"/api/v1/suppressions/?{query}").status_code == 400
