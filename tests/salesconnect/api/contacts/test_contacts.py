"""Creating, reading and deleting one person through the API."""

import datetime as dt

import pytest

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from compliance.suppression import suppression
from contacts.events import history
from contacts.models import Contact

PEOPLE = "/api/v1/contacts/"
# Lately, so that it is not old under any calendar.
GIVEN = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=60)
CONSENT = {"authorization_type": "consent", "consent_date": GIVEN.isoformat(), "consent_purpose": "Newsletter"}
NO_CARD = {
    "authorization_type": None,
    "authorization_other": "",
    "consent_date": None,
    "consent_purpose": "",
    "source_type": None,
    "source_other": "",
}


def utc(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def test_a_person_is_created_with_the_card_and_the_caller_as_owner(api, bob):
    answer = api.post(PEOPLE, {"first_name": " Anna ", "email": "Anna@Example.com", "compliance": CONSENT}, "json")
    anna = Contact.objects.select_related("card").get()
    assert (answer.status_code, answer["ETag"]) == (201, '"1"')
    assert answer.json() == {
        "id": anna.pk,
        "first_name": "Anna",
        "last_name": "",
        "company": "",
        "title": "",
        "email": "Anna@Example.com",
        "phone": "",
        "website": "",
        "other": "",
        "facebook": "",
        "twitter": "",
        "linkedin": "",
        "salesforce_id": "",
        "owner": bob.pk,
        "created_at": utc(anna.created_at),
        "updated_at": utc(anna.card.updated_at),
        "unsubscribed": False,
        "verdict": "may",
        "compliance": NO_CARD | CONSENT,
    }


def test_creating_is_one_event_through_the_door_of_the_api(api):
    created = api.post(PEOPLE, {"last_name": "Berg", "compliance": {"source_type": "chrome_extension"}}, "json").json()
    event = history.of_contact(created["id"]).get()
    assert (event.action, event.door, event.actor_name) == ("created", "api", "bob")
    assert event.changes == {"source_type": "chrome_extension"}


@pytest.mark.parametrize(("named", "owner"), [({"owner": None}, None), ({"owner": "alice"}, "alice")])
def test_an_owner_can_be_named_or_left_out_on_purpose(api, alice, named, owner):
    body = {"last_name": "Berg"} | {name: value and alice.pk for name, value in named.items()}
    assert api.post(PEOPLE, body, "json").json()["owner"] == (alice.pk if owner else None)


def test_a_salesforce_id_of_15_characters_is_answered_with_18(api):
    body = {"last_name": "Berg", "salesforce_id": "003D000000QYVz5"}
    assert api.post(PEOPLE, body, "json").json()["salesforce_id"] == "003D000000QYVz5IAH"


def test_a_taken_address_is_a_conflict_that_names_who_has_it(api, person):
    anna = person(email="anna@example.com")
    answer = api.post(PEOPLE, {"email": "ANNA@example.com"}, "json")
    assert (answer.status_code, answer.json()["existing_id"], answer.json()["code"]) == (409, anna.pk, "address_taken")


def test_an_address_that_said_no_comes_in_unsubscribed(api, person, member):
    person(email="a@example.com")
    suppression.unsubscribe(Contact.objects.all(), actor=member, source="manual")
    Contact.objects.all().delete()
    created = api.post(PEOPLE, {"email": "A@example.com", "compliance": CONSENT}, "json").json()
    assert (created["unsubscribed"], created["verdict"]) == (True, "may_not")


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"last_name"}),
        ({"first_name": " "}, {"last_name"}),
        ({"email": "anna"}, {"email"}),
        ({"last_name": "x" * 201}, {"last_name"}),
        ({"last_name": "a\u0007b"}, {"last_name"}),
        ({"last_name": ["Berg"]}, {"last_name"}),
        ({"last_name": True}, {"last_name"}),
        ({"last_name": "Berg", "salesforce_id": "003D000000QYVz5AAA"}, {"salesforce_id"}),
        ({"last_name": "Berg", "owner": 0}, {"owner"}),
        ({"last_name": "Berg", "owner": "bob"}, {"owner"}),
        ({"last_name": "Berg", "owner": 10**30}, {"owner"}),
        ({"last_name": "Berg", "lastname": "Berg", "e-mail": ""}, {"lastname", "e-mail"}),
        ({"last_name": "Berg", "unsubscribed": True}, {"unsubscribed"}),
        ({"last_name": "Berg", "id": 7}, {"id"}),
        ({"last_name": "Berg", "compliance": None}, {"compliance"}),
        ([], {"non_field_errors"}),
        ("Berg", {"non_field_errors"}),
    ],
)
def test_a_wrong_body_is_refused_with_the_names_of_its_fields(api, body, errors):
    answer = api.post(PEOPLE, body, "json")
    assert (answer.status_code, set(answer.json())) == (400, errors)
    assert Contact.objects.count() == 0


@pytest.mark.parametrize(
    ("card", "errors"),
    [
        ({"authorization_type": "consent"}, {"consent_date", "consent_purpose"}),
        (CONSENT | {"consent_date": "9999-01-01"}, {"consent_date"}),
        (CONSENT | {"consent_date": "2026-02-30"}, {"consent_date"}),
        (CONSENT | {"consent_purpose": " "}, {"consent_purpose"}),
        (CONSENT | {"authorization_type": "contract"}, {"consent_date", "consent_purpose"}),
        ({"consent_date": "2026-03-01"}, {"consent_date"}),
        ({"authorization_type": "contract", "authorization_other": "x"}, {"authorization_other"}),
        ({"source_type": "import", "source_other": "x"}, {"source_other"}),
        ({"authorization_type": "other", "authorization_other": "x" * 501}, {"authorization_other"}),
        ({"authorization_type": "not_recorded"}, {"authorization_type"}),
        ({"authorization_type": 1}, {"authorization_type"}),
        ({"source_type": "Import"}, {"source_type"}),
        ({"consent": True}, {"consent"}),
    ],
)
def test_the_rules_of_the_card_are_answered_where_the_card_stands(api, card, errors):
    answer = api.post(PEOPLE, {"last_name": "Berg", "compliance": card}, "json")
    assert (answer.status_code, set(answer.json()), set(answer.json()["compliance"])) == (400, {"compliance"}, errors)


def test_a_person_is_shown_with_the_version_as_etag(api, person):
    anna = person(authorization=Authorization(AuthorizationType.CONTRACT), email="a@example.com")
    answer = api.get(f"{PEOPLE}{anna.pk}/")
    assert (answer.status_code, answer["ETag"], answer["Cache-Control"]) == (200, '"1"', "no-store")
    assert answer.json()["compliance"] == NO_CARD | {"authorization_type": "contract"}


@pytest.mark.parametrize("number", ["0", "999999999", "99999999999999999999999999"])
@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_nobody_is_not_found(api, number, method):
    assert getattr(api, method)(f"{PEOPLE}{number}/").status_code == 404


def test_a_person_who_changed_meanwhile_is_not_deleted(api, person):
    address = f"{PEOPLE}{person().pk}/"
    read = api.get(address)["ETag"]
    api.patch(address, {"title": "Chair"}, "json")
    answer = api.delete(address, headers={"If-Match": read})
    assert (answer.status_code, answer.json()["current"]["title"]) == (412, "Chair")
    assert api.delete(address, headers={"If-Match": answer["ETag"]}).status_code == 204


def test_a_deleted_person_is_gone(api, person):
    anna = person()
    answer = api.delete(f"{PEOPLE}{anna.pk}/")
    assert (answer.status_code, answer.content, Contact.objects.count()) == (204, b"", 0)
    assert history.of_contact(anna.pk).first().action == "deleted"
