"""What mail providers report of addresses: hard bounces, complaints, and a "no" that was said to them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from anymail.signals import AnymailTrackingEvent, EventType
from django.db import transaction

from compliance import suppression
from compliance.models import Suppression
from contacts.addresses import address_hash, newest_key
from contacts.rules import normalise_address
from salesconnect.lib.actor import Actor
from salesconnect.lib.outcome import Outcome

Report = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Provider:
    """A mail provider: the class that checks and reads its reports, and how it marks a bounce that is for good."""

    receiver: str
    hard: Callable[[Report], bool]


def _named(field: str, *values: str) -> Callable[[Report], bool]:
    return lambda report: report.get(field) in values


def _always(_report: Report) -> bool:
    """Tell of a provider whose other bounces are told apart already."""
    return True


# SparkPost's bounce classes: invalid recipient, and no such mailbox.
_SPARKPOST_HARD = ("10", "30")
PROVIDERS = {
    "amazon_ses": Provider(
        "amazon_ses.AmazonSESTrackingWebhookView", lambda report: report["bounce"]["bounceType"] == "Permanent"
    ),
    "brevo": Provider("brevo.BrevoTrackingWebhookView", _named("event", "hard_bounce", "invalid_email")),
    "mailersend": Provider(
        "mailersend.MailerSendTrackingWebhookView", lambda report: report["data"]["type"] == "hard_bounced"
    ),
    "mailgun": Provider("mailgun.MailgunTrackingWebhookView", _always),
    "mailjet": Provider("mailjet.MailjetTrackingWebhookView", lambda report: bool(report.get("hard_bounce"))),
    "mailtrap": Provider("mailtrap.MailtrapTrackingWebhookView", _always),
    "mandrill": Provider("mandrill.MandrillCombinedWebhookView", _named("event", "hard_bounce")),
    "postal": Provider("postal.PostalTrackingWebhookView", _always),
    "postmark": Provider(
        "postmark.PostmarkTrackingWebhookView",
        lambda report: "HardBounce" in (report.get("Type"), report.get("SuppressionReason")),
    ),
    "resend": Provider(
        "resend.ResendTrackingWebhookView", lambda report: report["data"]["bounce"]["type"] == "Permanent"
    ),
    "sendgrid": Provider("sendgrid.SendGridTrackingWebhookView", _named("type", "bounce")),
    "sparkpost": Provider("sparkpost.SparkPostTrackingWebhookView", _named("bounce_class", *_SPARKPOST_HARD)),
    "unisender_go": Provider("unisender_go.UnisenderGoTrackingWebhookView", _always),
}


@transaction.atomic
def take(name: str, events: Iterable[AnymailTrackingEvent], *, label: str) -> Outcome:
    """Suppress the addresses that must not be mailed again by what a provider, called `label`, reports.

    Reports may come twice and in any order. A "yes" to the provider means nothing here.
    """
    actor = Actor(user_id=None, name=label, role="member", door="task")
    outcome = Outcome()
    for event in events:
        source = _source(PROVIDERS[name], event)
        if source and (address := _address(event.recipient)):
            said = suppression.unsubscribe_address(
                address_hash(address), newest_key(), actor=actor, source=source, reason=label
            )
            outcome += said.outcome
    return outcome


def _source(provider: Provider, event: AnymailTrackingEvent) -> Suppression.Source | None:
    if event.event_type == EventType.COMPLAINED:
        return Suppression.Source.COMPLAINT
    if event.event_type == EventType.UNSUBSCRIBED:
        return Suppression.Source.ONE_CLICK
    if event.event_type == EventType.BOUNCED and provider.hard(event.esp_event):
        return Suppression.Source.BOUNCE
    return None


def _address(recipient: str | None) -> str:
    try:
        return normalise_address(recipient or "")
    except ValueError:
        return ""
