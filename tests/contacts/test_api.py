import datetime as dt

import pytest
import time_machine

from compliance.rules import Authorization, AuthorizationType
from contacts import history
from contacts.models import Contact

CONSENT = {"authorization_type": "consent", "consent_date": "2026-03-01", "consent_purpose": "Newsletter"}
NO_CARD = {
    "authorization_type": None,
    "authorization_other": "",
    "consent_date": None,
    "consent_purpose": "",
    "source_type": None,
    "source_other": "",
}
CONTACTS = "/api/v1/contacts/"


def address(contact, *parts: str) -> str:
    return "/".join([CONTACTS.rstrip("/"), str(contact.pk), *parts, ""])


def test_a_person_is_created_with_the_card_and_the_caller_as_owner(api, bob):
    with time_machine.travel(dt.datetime(2026, 11, 23, 10, 15, tzinfo=dt.UTC), tick=False):
        answer = api.post(CONTACTS, {"first_name": " Anna ", "email": "Anna@Example.com", "compliance": CONSENT}, "json")
    body = answer.json()
    contact = Contact.objects.select_related("card").get()
    assert answer.status_code == 201
    assert answer["ETag"] == '"1"'
    assert body == {
        "id": contact.pk,
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
        "created_at": f"{contact.created_at.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
        "updated_at": f"{contact.card.updated_at.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
        "unsubscribed": False,
        "verdict": "may",
        "compliance": NO_CARD | CONSENT,
    }


def test_what_get_shows_can_be_put(api, person):
    anna = person()
    body = api.get(address(anna)).json()
    answer = api.put(address(anna), body | {"title": "CEO"}, "json")
    assert (answer.status_code, answer.json()["title"]) == (200, "CEO")
