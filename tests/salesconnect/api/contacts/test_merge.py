import pytest

from compliance.suppression import suppression
from contacts.models import Contact
from tests.salesconnect.api.contacts.test_reconsent import session_of


@pytest.fixture
def two(person, member):
    anna = person(first_name="Anna", email="anna@example.com")
    double = person(first_name="Anna", email="berg@example.com", phone="070 1")
    suppression.unsubscribe(Contact.objects.filter(pk=double.pk), actor=member, source="manual")
    return anna, double


def test_a_record_is_merged_and_comes_back(api, two):
    anna, double = two
    url = f"/api/v1/contacts/{anna.pk}/"
    answer = api.post(f"{url}merge/", {"other": double.pk, "take": ["email"]}, format="json")
    body = answer.json()
    assert (answer.status_code, body["email"], body["phone"]) == (200, "berg@example.com", "070 1")
    assert body["unsubscribed"]
    assert api.get(f"/api/v1/contacts/{double.pk}/").status_code == 404
    assert {entry["source"] for entry in api.get(f"{url}unsubscribes/").json()["results"]} == {"manual"}
    assert api.post(f"{url}merge/undo/").json() == {"other": double.pk}
    assert api.get(f"/api/v1/contacts/{double.pk}/").json()["unsubscribed"]
    assert api.get(url).json()["email"] == "anna@example.com"
    assert api.post(f"{url}merge/undo/").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "other"),
        ({"other": 404404}, "other"),
        ({"other": "x"}, "other"),
        ({"other": 1, "take": ["unsubscribed"]}, "take"),
        ({"other": 1, "everything": True}, "everything"),
    ],
)
def test_what_cannot_be_merged_is_named(api, two, body, field):
    answer = api.post(f"/api/v1/contacts/{two[0].pk}/merge/", body, format="json")
    assert (answer.status_code, list(answer.json())) == (400, [field])


def test_an_auditor_may_not_and_nobody_is_not_found(api, charlie, two):
    anna, double = two
    path = f"/api/v1/contacts/{anna.pk}/merge/"
    assert session_of(charlie).post(path, {"other": double.pk}, format="json").status_code == 403
    assert session_of(charlie).post(f"{path}undo/").status_code == 403
    assert api.post("/api/v1/contacts/404404/merge/", {"other": anna.pk}, format="json").status_code == 404
