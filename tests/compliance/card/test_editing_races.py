"""A change that names a version never goes over a newer one, also when that is just being stored."""

import pytest
from rest_framework.test import APIClient

from compliance.card import editing
from contacts.accounts import tokens
from contacts.models import Contact
from tests.interleaving import overlapping

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(
    ("request_line", "body"),
    [
        ("delete ", None),
        ("patch ", {"title": "Head"}),
        ("put ", {"last_name": "Berg"}),
        ("patch compliance/", {"authorization_type": "contract"}),
        ("put compliance/", {"authorization_type": "contract"}),
    ],
)
def test_what_names_an_older_version_meets_the_newer_one(person, member, bob, request_line, body):
    someone, token, answers = person(last_name="Berg"), tokens.make(bob, "race"), []
    method, path = request_line.split(" ")

    def send() -> None:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
        address = f"/api/v1/contacts/{someone.pk}/{path}"
        answers.append(getattr(client, method)(address, body, format="json", HTTP_IF_MATCH='"1"'))

    overlapping(lambda: editing.edit(someone.pk, {"company": "New"}, actor=member), send)
    assert (answers[0].status_code, answers[0].json()["code"]) == (412, "stale")
    now = Contact.objects.get(pk=someone.pk)
    assert (now.company, now.title, now.last_name) == ("New", "", "Berg")
