import re

import pytest
from rest_framework.test import APIClient

from compliance.suppression import suppression
from contacts.accounts import tokens
from contacts.models import Contact
from unsubscribes.mail.sending import send
from unsubscribes.models import Message

MAIL = {"subject": "Hello {{ first_name }}", "body": "News.", "body_html": "<p>News.</p>"}


@pytest.fixture
def url(anna):
    return f"/api/v1/contacts/{anna.pk}/mails/"


def test_a_mail_is_written_and_then_sent(api, url, anna, server):
    answer = api.post(url, MAIL, format="json")
    body = answer.json()
    assert (answer.status_code, body["state"], body["reason"]) == (201, "queued", None)
    send.drain()
    sent = api.get(f"/api/v1/mails/{body['id']}/").json()
    assert (sent["state"], sent["reason"], sent["subject"], sent["contact"]) == (
        "sent",
        None,
        "Hello Anna",
        anna.pk,
    )
    assert re.search(r"http://testserver/u/[\w-]{43}/", sent["text"])


def test_without_a_mail_server_a_mail_waits_and_says_so(api, url, settings):
    settings.EMAIL_BACKEND = "unsubscribes.mail.sending.backends.OutboxBackend"
    body = api.post(url, MAIL, format="json").json()
    send.drain()
    now = api.get(f"/api/v1/mails/{body['id']}/").json()
    assert [(each["state"], each["reason"], each["sent_at"]) for each in (body, now)] == [
        ("queued", "outbox", None)
    ] * 2


def test_a_mail_that_is_held_back_is_answered_201_with_the_reason(api, url, member):
    suppression.unsubscribe(Contact.objects.all(), actor=member, source="manual")
    answer = api.post(url, MAIL, format="json")
    assert (answer.status_code, answer.json()["state"], answer.json()["reason"]) == (201, "held", "unsubscribed")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["subject"]),
        ({"subject": "x"}, ["body"]),
        ({"subject": "x", "body": "{{ nose }}"}, ["body"]),
        ({"subject": "x" * 256, "body": "x"}, ["subject"]),
        ({"subject": "x", "body": "x", "cc": "eve@example.com"}, ["cc"]),
    ],
)
def test_a_mail_that_cannot_be_sent_is_refused_with_its_fields(api, url, body, fields):
    answer = api.post(url, body, format="json")
    assert (answer.status_code, list(answer.json())) == (400, fields)


def test_an_auditor_may_read_mails_but_neither_write_nor_see_the_link(charlie, url, written):
    send.drain()
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {tokens.make(charlie, 'tests')}")
    assert client.post(url, {}, format="json").status_code == 403
    assert client.post("/api/v1/bulk/mails/", {}, format="json").status_code == 403
    shown = client.get(f"/api/v1/mails/{written.pk}/").json()
    assert (shown["state"], "https://…/u/…/" in shown["text"], "/u/" in shown["html"].replace("/u/…/", "")) == (
        "sent",
        True,
        False,
    )


def test_mail_to_nobody_is_not_found(api, url):
    assert api.post("/api/v1/contacts/999/mails/", MAIL, format="json").status_code == 404
    assert api.get("/api/v1/mails/999/").status_code == 404


def test_an_idempotency_key_makes_one_mail_of_two_requests(api, url):
    answers = [api.post(url, MAIL, format="json", headers={"Idempotency-Key": "a"}) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert Message.objects.count() == 1


def test_mail_to_many_counts_who_is_held_back(api, many, person, member):
    first, second, _third = many(3)
    person(email="nobody@example.com")
    person(last_name="No address")
    suppression.unsubscribe(Contact.objects.filter(pk=first.pk), actor=member, source="manual")
    order = {**MAIL, "selection": {"filter": {}}}
    dry = api.post("/api/v1/bulk/mails/", {**order, "dry_run": True}, format="json").json()
    assert Message.objects.count() == 0
    done = api.post("/api/v1/bulk/mails/", order, format="json").json()
    expected = [
        {"reason": "no_address", "count": 1},
        {"reason": "no_authorization", "count": 1},
        {"reason": "unsubscribed", "count": 1},
    ]
    assert (dry["batch"], dry["state"], dry["changed"], dry["refused"]) == (None, "done", 2, expected)
    assert (done["state"], done["total"], done["changed"], done["refused"]) == ("done", 5, 2, expected)
    assert Message.objects.get(contact=second).batch_id == done["batch"]


def test_ids_that_name_nobody_are_refused(api, anna):
    order = {**MAIL, "selection": {"ids": [anna.pk, 999]}}
    done = api.post("/api/v1/bulk/mails/", order, format="json").json()
    assert (done["changed"], done["refused"]) == (1, [{"reason": "not_found", "count": 1}])
