"""Reports in the shape in which providers send them, with the addresses of nobody."""

import base64
import hashlib
import hmac
import json

import pytest

from compliance.models import ComplianceCard, Suppression
from compliance.suppression import suppression
from contacts.events import history

SECRET = "postmark:a-long-secret"
KEY = "mailgun-signing-key"
SIGNED = {"Authorization": f"Basic {base64.b64encode(SECRET.encode()).decode()}"}

POSTMARK_BOUNCE = {
    "RecordType": "Bounce",
    "ID": 901542550,
    "Type": "HardBounce",
    "TypeCode": 1,
    "MessageID": "2706ee8a-737c-4285-b032-ccd317af53ed",
    "Description": "The server was unable to deliver your message (ex: unknown user, mailbox not found).",
    "Details": "smtp;550 5.1.1 The email account that you tried to reach does not exist.",
    "Email": "Anna@Example.com",
    "BouncedAt": "2026-11-23T16:30:16.1234567Z",
    "DumpAvailable": False,
    "Inactive": True,
    "CanActivate": True,
    "Subject": "News",
}
MAILGUN_COMPLAINT = {
    "event": "complained",
    "timestamp": 1795446616.123,
    "id": "-Agny091SquKnsrW2NEKUA",
    "recipient": "anna@example.com",
    "message": {"headers": {"message-id": "20261123@example.com", "to": "anna@example.com"}},
    "user-variables": {},
    "tags": [],
}
MAILGUN_FAILURE = MAILGUN_COMPLAINT | {"event": "failed", "severity": "temporary", "reason": "generic"}
BREVO_BOUNCE = {
    "event": "hard_bounce",
    "email": "anna@example.com",
    "id": 21,
    "ts_epoch": 1795446616000,
    "message-id": "<1@x>",
}


@pytest.fixture
def anna(person, settings):
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}
    return person(first_name="Anna", email="anna@example.com")


@pytest.fixture
def mailgun(anna, settings, client):
    """Return a function that sends an event signed as Mailgun signs it."""
    settings.ANYMAIL = {"MAILGUN_WEBHOOK_SIGNING_KEY": KEY}

    def send(event, key=KEY):
        stamp, token = "1795446616", "0123456789abcdef"
        signature = hmac.new(key.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
        signed = {"timestamp": stamp, "token": token, "signature": signature}
        body = {"signature": signed, "event-data": event}
        return client.post("/webhooks/mailgun/", json.dumps(body), content_type="application/json")

    return send


def post(client, provider, body, headers=SIGNED):
    return client.post(f"/webhooks/{provider}/", json.dumps(body), content_type="application/json", headers=headers)


def test_a_hard_bounce_suppresses_the_address_and_the_person(client, anna):
    assert post(client, "postmark", POSTMARK_BOUNCE).status_code == 200
    held = suppression.of_address("anna@example.com")
    assert (held.source, held.reason) == ("bounce", "Postmark")
    assert ComplianceCard.objects.get(pk=anna.pk).unsubscribed


def test_a_report_that_comes_twice_is_one_entry(client, anna):
    post(client, "postmark", POSTMARK_BOUNCE)
    post(client, "postmark", POSTMARK_BOUNCE)
    assert history.of_contact(anna.pk).filter(action="unsubscribed").count() == 1
    assert Suppression.objects.count() == 1


def test_an_address_of_nobody_is_suppressed_too(client, anna):
    post(client, "brevo", BREVO_BOUNCE | {"email": "nobody@example.com"})
    assert suppression.of_address("nobody@example.com").source == "bounce"


@pytest.mark.parametrize(
    ("provider", "report"),
    [
        ("postmark", POSTMARK_BOUNCE | {"Type": "SoftBounce"}),
        ("postmark", POSTMARK_BOUNCE | {"Type": "Transient"}),
        ("postmark", {"RecordType": "Delivery", "Recipient": "anna@example.com"}),
        ("postmark", {"RecordType": "SubscriptionChange", "Recipient": "anna@example.com", "SuppressSending": False}),
        ("postmark", POSTMARK_BOUNCE | {"Email": "nowhere"}),
        ("brevo", BREVO_BOUNCE | {"event": "soft_bounce"}),
    ],
)
def test_what_is_not_for_good_suppresses_nobody(client, anna, provider, report):
    assert post(client, provider, report).status_code == 200
    assert not Suppression.objects.exists()


@pytest.mark.parametrize(
    ("report", "source"),
    [
        (POSTMARK_BOUNCE | {"RecordType": "SpamComplaint", "Type": "SpamComplaint"}, "complaint"),
        (
            {
                "RecordType": "SubscriptionChange",
                "Recipient": "anna@example.com",
                "SuppressSending": True,
                "SuppressionReason": "ManualSuppression",
            },
            "one_click",
        ),
    ],
)
def test_what_a_person_said_to_the_provider_counts(client, anna, report, source):
    assert post(client, "postmark", report).status_code == 200
    assert suppression.of_address("anna@example.com").source == source


def test_a_complaint_that_is_signed_by_itself(mailgun):
    assert mailgun(MAILGUN_COMPLAINT).status_code == 200
    assert suppression.of_address("anna@example.com").source == "complaint"


def test_a_failure_that_may_pass_suppresses_nobody(mailgun):
    assert mailgun(MAILGUN_FAILURE).status_code == 200
    for reason in ("old", "generic", "espblock"):
        assert mailgun(MAILGUN_FAILURE | {"severity": "permanent", "reason": reason}).status_code == 200
    assert not Suppression.objects.exists()


def test_a_mailbox_that_does_not_exist_is_an_opt_out(mailgun):
    status = {"code": 550, "message": "5.1.1 The email account does not exist."}
    mailgun(MAILGUN_FAILURE | {"severity": "permanent", "reason": "bounce", "delivery-status": status})
    assert Suppression.objects.get().source == "bounce"


def test_a_wrong_signature_is_refused(mailgun):
    assert mailgun(MAILGUN_COMPLAINT, key="another key").status_code == 400
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic d3Jvbmc6c2VjcmV0"}])
def test_an_unsigned_report_is_refused(client, anna, headers):
    assert post(client, "postmark", POSTMARK_BOUNCE, headers).status_code == 400
    assert not Suppression.objects.exists()


@pytest.mark.parametrize(
    ("provider", "configured"),
    [
        ("postmark", {}),
        ("postmark", {"MAILGUN_WEBHOOK_SIGNING_KEY": KEY}),
        ("mailgun", {"WEBHOOK_SECRET": SECRET}),
        ("pigeon", {"WEBHOOK_SECRET": SECRET}),
    ],
)
def test_what_is_not_configured_is_not_there(client, anna, settings, provider, configured):
    settings.ANYMAIL = configured
    assert post(client, provider, POSTMARK_BOUNCE).status_code == 404


@pytest.mark.parametrize("body", ["", "[]", "{", "5", '{"RecordType": 5}', '{"RecordType": "Inbound"}', "[" * 100_000])
def test_a_report_that_cannot_be_read_breaks_nothing(client, anna, body):
    answer = client.post("/webhooks/postmark/", body, content_type="application/json", headers=SIGNED)
    assert answer.status_code in (200, 400)
    assert not Suppression.objects.exists()


def test_only_reports_are_taken(client, anna):
    assert client.get("/webhooks/postmark/").status_code == 405
    assert client.head("/webhooks/postmark/").status_code == 200


@pytest.mark.parametrize(
    "body", ["", "[]", "{", "5", '{"signature": []}', '{"signature": {"token": 5}}', "[" * 100_000]
)
def test_a_body_that_cannot_be_checked_is_refused(client, anna, settings, body):
    settings.ANYMAIL = {"MAILGUN_WEBHOOK_SIGNING_KEY": KEY}
    assert client.post("/webhooks/mailgun/", body, content_type="application/json").status_code == 400


def test_a_no_that_the_provider_holds_is_a_no(client, anna, person):
    person(email="b@example.com")
    dropped = [
        {"event": "dropped", "reason": "Unsubscribed Address", "email": "anna@example.com"},
        {"event": "dropped", "reason": "Spam Reporting Address", "email": "b@example.com"},
    ]
    assert post(client, "sendgrid", dropped).status_code == 200
    found = [suppression.of_address(email).source for email in ("anna@example.com", "b@example.com")]
    assert found == ["one_click", "complaint"]


SENDGRID_NO = {"event": "unsubscribe", "email": "anna@example.com", "timestamp": 1795446616, "sg_event_id": "x"}
SPARKPOST_NO = {"msys": {"message_event": {"type": "spam_complaint", "raw_rcpt_to": "anna@example.com"}}}
BROKEN = {
    "sendgrid": [{}, None, "x", {"event": "bounce", "email": "b@example.com", "timestamp": "soon"}, {"event": []}],
    "sparkpost": [{}, None, {"msys": {"message_event": {}}}, {"msys": {"one": {}, "two": {}}}],
}


@pytest.mark.parametrize(("provider", "broken"), [(name, each) for name, all_ in BROKEN.items() for each in all_])
def test_an_event_that_cannot_be_read_takes_no_other_with_it(client, anna, provider, broken):
    no = {"sendgrid": SENDGRID_NO, "sparkpost": SPARKPOST_NO}[provider]
    assert post(client, provider, [broken]).status_code == 400
    assert post(client, provider, [broken, no]).status_code == 200
    assert ComplianceCard.objects.get(pk=anna.pk).unsubscribed
