import json
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from rest_framework.test import APIClient

from compliance.suppression import suppression
from contacts.accounts import tokens
from contacts.models import Contact
from tests.evidence import PDF, yesterday
from tests.sessions import age


def session_of(user) -> APIClient:
    client = APIClient()
    client.force_login(user)
    return client


@pytest.fixture
def anna(person, member):
    someone = person(first_name="Anna", email="anna@example.com")
    suppression.unsubscribe(Contact.objects.filter(pk=someone.pk), actor=member, source="manual", reason="Too much")
    return someone


def body(**other):
    today = timezone.localdate().isoformat()
    values = {"consent_date": today, "channel": "form", "wording": "I agree.", "purpose": "News"}
    return values | {"evidence_reference": "Form 12 in the archive of 2026"} | other


def test_an_administrator_removes_an_unsubscribe_with_a_document(alice, anna):
    client, url = session_of(alice), f"/api/v1/contacts/{anna.pk}/"
    file = SimpleUploadedFile("form.pdf", PDF)
    answer = client.post(f"{url}re-consent/", body(evidence_reference="", evidence_file=file), format="multipart")
    assert (answer.status_code, answer.json()["unsubscribed"]) == (200, False)
    assert answer.json()["compliance"]["consent_purpose"] == "News"
    entries = client.get(f"{url}unsubscribes/").json()["results"]
    assert [(entry["kind"], entry["source"], entry["actor"]) for entry in entries] == [
        ("resubscribed", "re_consent", "alice"),
        ("unsubscribed", "manual", "bob"),
    ]
    shown = entries[0]["evidence"]
    assert (shown["channel"], shown["wording"], shown["file"]["name"]) == ("form", "I agree.", "form.pdf")
    download = client.post(f"{url}evidence/{shown['id']}/file/")
    assert b"".join(download.streaming_content) == PDF
    assert download["Content-Disposition"] == 'attachment; filename="form.pdf"'
    assert (download["X-Content-Type-Options"], download["Content-Type"]) == ("nosniff", "application/pdf")


def test_a_session_needs_a_recent_sign_in(alice, anna):
    url = f"/api/v1/contacts/{anna.pk}/re-consent/"
    answer = age(session_of(alice)).post(url, body())
    assert (answer.status_code, answer.json()["code"]) == (403, "sign_in_again")
    assert session_of(alice).post(url, body()).status_code == 200


def test_no_token_removes_an_unsubscribe_not_even_an_administrators(alice, anna):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {tokens.make(alice, 'tests')}")
    for sent in (body(), {"nonsense": 1}):
        answer = client.post(f"/api/v1/contacts/{anna.pk}/re-consent/", sent, format="multipart")
        assert (answer.status_code, answer.json()["code"]) == (409, "page_only")
    assert suppression.of_address("anna@example.com") is not None


def test_a_token_beside_a_session_is_still_a_token(alice, anna):
    client = session_of(alice)
    client.credentials(HTTP_AUTHORIZATION=f"Token {tokens.make(alice, 'tests')}")
    answer = client.post(f"/api/v1/contacts/{anna.pk}/re-consent/", body(), format="multipart")
    assert (answer.status_code, answer.json()["code"]) == (409, "page_only")


@pytest.mark.parametrize("media_type", ["application/json", "application/x-www-form-urlencoded"])
def test_a_reference_needs_no_multipart(alice, anna, media_type):
    url = f"/api/v1/contacts/{anna.pk}/re-consent/"
    text = json.dumps(body()) if media_type.endswith("json") else urlencode(body())
    answer = session_of(alice).post(url, text, content_type=media_type)
    assert (answer.status_code, answer.json()["unsubscribed"]) == (200, False)


@pytest.mark.parametrize("role", ["bob", "charlie"])
def test_nobody_else_may_and_the_right_is_asked_before_the_body(anna, role, request):
    client = session_of(request.getfixturevalue(role))
    answer = client.post(f"/api/v1/contacts/{anna.pk}/re-consent/", {"nonsense": 1}, format="multipart")
    assert (answer.status_code, answer.json()["right"]) == (403, "reconsent_people")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"consent_date": yesterday().isoformat()}, "consent_date"),
        ({"consent_date": "soon"}, "consent_date"),
        ({"channel": "dream"}, "channel"),
        ({"wording": ""}, "wording"),
        ({"purpose": " "}, "purpose"),
        ({"evidence_reference": "too short"}, "evidence_reference"),
        ({"bulk": "1"}, "bulk"),
    ],
)
def test_what_shows_no_consent_is_refused_by_name(alice, anna, change, field):
    answer = session_of(alice).post(f"/api/v1/contacts/{anna.pk}/re-consent/", body(**change), format="multipart")
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert suppression.of_address("anna@example.com") is not None


def test_somebody_who_is_not_unsubscribed_is_a_conflict(alice, person):
    lars = person(email="lars@example.com")
    answer = session_of(alice).post(f"/api/v1/contacts/{lars.pk}/re-consent/", body(), format="multipart")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_unsubscribed")


def test_a_version_that_the_person_has_left_is_stale(alice, anna):
    answer = session_of(alice).post(
        f"/api/v1/contacts/{anna.pk}/re-consent/", body(), format="multipart", headers={"If-Match": '"1"'}
    )
    assert answer.status_code == 412


def test_there_is_no_way_to_consent_for_many(alice):
    for path in ("bulk/re-consent/", "bulk/reconsent/", "contacts/re-consent/"):
        assert session_of(alice).post(f"/api/v1/{path}", {}, format="json").status_code == 404
