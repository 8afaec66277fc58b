"""Interprets a mail server's reply or a provider's report about an address. Pure: no database, no settings.

Two mistakes do harm. To take a temporary failure (a full mailbox, a block of our server) for a mailbox that does not
exist opts a person out for good. To overlook an opt-out that the provider holds mails somebody who opted out. So an
address counts as non-existent only by the codes that mean "no such user" (RFC 3463), or if the provider documents its
own code as exactly that; a code of the receiving server takes precedence over that of the provider.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from anymail.signals import EventType

Report = Mapping[str, Any]


class Meaning(Enum):
    NOTHING = "nothing"
    DELIVERED = "delivered"
    NOT_DELIVERED = "not_delivered"  # this mail; the next may arrive
    NO_SUCH_USER = "no_such_user"
    COMPLAINED = "complained"
    OPTED_OUT = "opted_out"


# RFC 3463 and RFC 7505: no such mailbox, no such domain, moved without a new address, no mail taken at all.
NO_SUCH_USER_CODES = {"5.1.1", "5.1.2", "5.1.6", "5.1.10"}
SAYS_NOTHING = {"4.0.0", "5.0.0"}
# The enhanced code of a reply, if it is not part of an IP address or a longer number, and the basic code before it.
ENHANCED = re.compile(
    r"(?:(?<!\d)(?P<basic>[245]\d\d)[ \-#:;,(]{1,3})?(?<![\d.])(?P<code>[245]\.\d{1,3}\.\d{1,3})(?!\.?\d)"
)
BASIC = re.compile(r"(?<![\d.:])(?P<basic>4[25]\d|5[0-5]\d)(?![\d.])")
UNKNOWN_USER = re.compile(
    r"no such (?:user|recipient|mailbox|account|address|person)|(?:user|recipient|mailbox|account) (?:is )?unknown"
    r"|unknown (?:user|recipient|mailbox|local[ -]part)"
    r"|(?:user|recipient|mailbox|account|address)\b.{0,80}? (?:does ?n[o']t exist|does not exist|not found)"
    r"|invalid (?:recipient|mailbox)|no mailbox (?:here )?by that name"
)
OTHER_TROUBLE = re.compile(
    r"block|spam|polic|denied|refus|reputation|blacklist|blocklist|quota|full|rate|too many|sender|domain of"
    r"|authenti|relay|dmarc|spf|greylist"
)


@dataclass(frozen=True, slots=True)
class ReportRule:
    """The meaning of a provider's own codes: the path in the report, the codes, and what they mean.

    With `unless_replied`, the reply of the receiving server decides, if the report contains one.
    """

    path: str
    words: tuple[str, ...]
    meaning: Meaning
    unless_replied: bool = False

    def holds(self, report: Report, recipient: str) -> bool:
        """Tell whether the value at the path is one of the codes; `x*` matches a prefix, `*x*` a part."""
        found = at(report, self.path, recipient).casefold()
        return bool(found) and any(_matches(word, found) for word in self.words)


@dataclass(frozen=True, slots=True)
class MailProvider:
    """A mail provider: anymail's view for its reports, the paths of the server's replies in them, and its codes."""

    receiver: str
    replies: tuple[str, ...] = ()
    rules: tuple[ReportRule, ...] = ()


# RFC 5965: reports of machines about a mail, and withdrawn complaints, are no opt-out of a person.
FEEDBACK = (("not-spam", "auth-failure", "virus"), Meaning.NOTHING), (("opt-out*",), Meaning.OPTED_OUT)

BY_EVENT = {
    EventType.COMPLAINED: Meaning.COMPLAINED,
    EventType.UNSUBSCRIBED: Meaning.OPTED_OUT,
    EventType.BOUNCED: Meaning.NOT_DELIVERED,
    EventType.REJECTED: Meaning.NOT_DELIVERED,
    EventType.FAILED: Meaning.NOT_DELIVERED,
    EventType.DELIVERED: Meaning.DELIVERED,
    EventType.OPENED: Meaning.DELIVERED,
    EventType.CLICKED: Meaning.DELIVERED,
}
UNDER_WAY = (EventType.QUEUED, EventType.SENT, EventType.DEFERRED, EventType.SUBSCRIBED, EventType.AUTORESPONDED)
"""Events whose codes are ignored: the mail is still on its way, or somebody subscribed at the provider."""
JUDGED = (EventType.BOUNCED, EventType.FAILED)
"""Events for which the receiving server's reply decides."""

MAIL_PROVIDERS = {
    "amazon_ses": MailProvider(
        "amazon_ses.AmazonSESTrackingWebhookView",
        ("bounce.bouncedRecipients.diagnosticCode", "bounce.bouncedRecipients.status"),
        (
            *(ReportRule("complaint.complaintFeedbackType", words, meaning) for words, meaning in FEEDBACK),
            ReportRule("bounce.bounceSubType", ("noemail",), Meaning.NO_SUCH_USER),
            ReportRule("bounce.bounceSubType", ("unsubscribedrecipient",), Meaning.OPTED_OUT),
            # Addresses on SES's suppression lists are also reported with 5.1.1, whatever the original reason was.
            ReportRule("bounce.bounceSubType", ("suppressed", "onaccountsuppressionlist"), Meaning.NOT_DELIVERED),
            ReportRule("bounce.bounceType", ("transient", "undetermined"), Meaning.NOT_DELIVERED),
            ReportRule("subscription.newTopicPreferences.unsubscribeAll", ("true",), Meaning.OPTED_OUT),
        ),
    ),
    "brevo": MailProvider(
        "brevo.BrevoTrackingWebhookView",
        ("reason",),
        (
            ReportRule("event", ("hard_bounce", "invalid_email"), Meaning.NO_SUCH_USER, unless_replied=True),
            # An error is the provider's own; its text may mention the List-Unsubscribe header.
            ReportRule("event", ("soft_bounce", "error"), Meaning.NOT_DELIVERED),
            ReportRule("event", ("unsubscribe*",), Meaning.OPTED_OUT),
            ReportRule("reason", ("*unsubscri*",), Meaning.OPTED_OUT),
            ReportRule("reason", ("*complain*", "*reported as spam*", "*spam report*"), Meaning.COMPLAINED),
        ),
    ),
    "mailersend": MailProvider(
        "mailersend.MailerSendTrackingWebhookView",
        ("data.morph.reason", "data.morph.readable_reason"),
        (
            ReportRule("data.morph.object", ("recipient_unsubscribe",), Meaning.OPTED_OUT),
            ReportRule("data.morph.object", ("spam_complaint",), Meaning.COMPLAINED),
            ReportRule("data.type", ("soft_bounced",), Meaning.NOT_DELIVERED),
        ),
    ),
    "mailgun": MailProvider(
        "mailgun.MailgunTrackingWebhookView",
        (
            "event-data.delivery-status.enhanced-code",
            "event-data.delivery-status.message",
            "event-data.delivery-status.description",
            "error",
            "notification",
            "description",
        ),
        (
            ReportRule("event-data.reason", ("suppress-unsubscribe",), Meaning.OPTED_OUT),
            ReportRule("event-data.reason", ("suppress-complaint",), Meaning.COMPLAINED),
            ReportRule("event-data.reason", ("suppress-bounce", "old", "espblock"), Meaning.NOT_DELIVERED),
            ReportRule("event-data.delivery-status.code", ("606",), Meaning.OPTED_OUT),
            ReportRule("event-data.delivery-status.code", ("607",), Meaning.COMPLAINED),
            ReportRule("event-data.delivery-status.code", ("6*",), Meaning.NOT_DELIVERED),
            # "The recipient is not found, or its server says that it does not exist."
            ReportRule("event-data.reason", ("bounce",), Meaning.NO_SUCH_USER, unless_replied=True),
            ReportRule("code", ("606",), Meaning.OPTED_OUT),
            ReportRule("code", ("607",), Meaning.COMPLAINED),
            ReportRule("code", ("6*",), Meaning.NOT_DELIVERED),
        ),
    ),
    "mailjet": MailProvider(
        "mailjet.MailjetTrackingWebhookView",
        ("smtp_reply", "comment"),
        (
            ReportRule("error", ("spam reporter",), Meaning.COMPLAINED),
            ReportRule("hard_bounce", ("false", "0"), Meaning.NOT_DELIVERED),
            ReportRule("error", ("user unknown",), Meaning.NO_SUCH_USER, unless_replied=True),
        ),
    ),
    "mailtrap": MailProvider(
        "mailtrap.MailtrapTrackingWebhookView",
        ("response",),
        (
            ReportRule("bounce_category", ("badmailbox", "bad-mailbox", "bad_mailbox"), Meaning.NO_SUCH_USER, True),
            ReportRule("reason", ("*unsubscri*",), Meaning.OPTED_OUT),
            ReportRule("reason", ("*complain*", "*spam report*"), Meaning.COMPLAINED),
        ),
    ),
    "mandrill": MailProvider(
        "mandrill.MandrillCombinedWebhookView",
        ("msg.diag",),
        (
            # Removal from the provider's block list, or addition to its allow list, is no opt-in here.
            ReportRule("type", ("whitelist", "allowlist"), Meaning.NOTHING),
            ReportRule("action", ("remove", "delete"), Meaning.NOTHING),
            ReportRule("event", ("soft_bounce",), Meaning.NOT_DELIVERED),
            ReportRule("msg.bounce_description", ("bad_mailbox", "invalid_domain"), Meaning.NO_SUCH_USER, True),
            ReportRule("msg.reject.reason", ("unsub",), Meaning.OPTED_OUT),
            ReportRule("msg.reject.reason", ("spam",), Meaning.COMPLAINED),
            ReportRule("reject.reason", ("unsub",), Meaning.OPTED_OUT),
            ReportRule("reject.reason", ("spam",), Meaning.COMPLAINED),
        ),
    ),
    "postal": MailProvider("postal.PostalTrackingWebhookView", ("payload.output", "payload.details")),
    "postmark": MailProvider(
        "postmark.PostmarkTrackingWebhookView",
        ("Details",),
        (
            ReportRule("SuppressionReason", ("spamcomplaint",), Meaning.COMPLAINED),
            # The reason of a hard bounce is in the report of the bounce itself.
            ReportRule("SuppressionReason", ("hardbounce",), Meaning.NOT_DELIVERED),
            ReportRule("Type", ("hardbounce",), Meaning.NO_SUCH_USER, unless_replied=True),
            ReportRule("Type", ("softbounce", "dnserror", "undetermined", "virusnotification"), Meaning.NOT_DELIVERED),
            # A filter took the content for spam; a complaint of a person is a SpamComplaint.
            ReportRule("Type", ("spamnotification",), Meaning.NOT_DELIVERED),
            ReportRule("Type", ("unsubscribe",), Meaning.OPTED_OUT),
        ),
    ),
    "resend": MailProvider(
        "resend.ResendTrackingWebhookView",
        ("data.bounce.diagnosticCode", "data.bounce.message"),
        (
            ReportRule("data.bounce.subType", ("noemail",), Meaning.NO_SUCH_USER),
            ReportRule("data.bounce.subType", ("suppressed", "onaccountsuppressionlist"), Meaning.NOT_DELIVERED),
            ReportRule("data.bounce.type", ("transient", "undetermined"), Meaning.NOT_DELIVERED),
            ReportRule("type", ("email.suppressed", "email.failed"), Meaning.NOT_DELIVERED),
        ),
    ),
    "sendgrid": MailProvider(
        "sendgrid.SendGridTrackingWebhookView",
        ("reason", "status"),
        (
            *(
                rule
                for path in ("reason", "type")
                for rule in (
                    ReportRule(
                        path, ("unsubscribed*", "group unsubscribe*", "globally unsubscribed*"), Meaning.OPTED_OUT
                    ),
                    ReportRule(path, ("spam report*",), Meaning.COMPLAINED),
                )
            ),
            ReportRule("type", ("blocked", "expired"), Meaning.NOT_DELIVERED),
            ReportRule("bounce_classification", ("invalid address",), Meaning.NO_SUCH_USER, unless_replied=True),
        ),
    ),
    "sparkpost": MailProvider(
        "sparkpost.SparkPostTrackingWebhookView",
        ("raw_reason", "reason", "error_code"),
        (
            *(ReportRule("fbtype", words, meaning) for words, meaning in FEEDBACK),
            # Invalid recipient, and no such mailbox.
            ReportRule("bounce_class", ("10", "30"), Meaning.NO_SUCH_USER, unless_replied=True),
            ReportRule("bounce_class", ("90",), Meaning.OPTED_OUT),
        ),
    ),
    "unisender_go": MailProvider(
        "unisender_go.UnisenderGoTrackingWebhookView",
        ("delivery_info.destination_response",),
        (
            ReportRule(
                "delivery_info.delivery_status", ("err_user_unknown",), Meaning.NO_SUCH_USER, unless_replied=True
            ),
            ReportRule("delivery_info.delivery_status", ("err_unsubscribed",), Meaning.OPTED_OUT),
            ReportRule("delivery_info.delivery_status", ("err_spam_skipped",), Meaning.COMPLAINED),
            ReportRule("status", ("soft_bounced",), Meaning.NOT_DELIVERED),
        ),
    ),
}


def of_report(name: str, event_type: str, report: Report, recipient: str, reply: str | None = None) -> Meaning:
    """Interpret a report of a provider; `reply` is the receiving server's, if anymail has found one."""
    provider, report = MAIL_PROVIDERS[name], unwrapped(report)
    replies = [at(report, path, recipient) for path in provider.replies] + [reply or ""]
    meaning = BY_EVENT.get(event_type, Meaning.NOTHING)
    if meaning is not Meaning.DELIVERED and event_type not in UNDER_WAY:
        for rule in provider.rules:
            if rule.holds(report, recipient):
                return (rule.unless_replied and of_replies(replies)) or rule.meaning
    return (of_replies(replies) or meaning) if event_type in JUDGED else meaning


def unwrapped(report: Report) -> Report:
    """Return a report without SparkPost's envelope, `msys` and the type of the event."""
    inside = report.get("msys") if isinstance(report, Mapping) else None
    found = next(iter(inside.values()), None) if isinstance(inside, Mapping) else None
    return found if isinstance(found, Mapping) else report


def of_replies(replies: Sequence[str]) -> Meaning | None:
    """Interpret the first intelligible reply about an undelivered mail; None if there is none. Codes before texts."""
    codes = (_by_code(reply) for reply in replies)
    texts = (_by_text(reply) for reply in replies)
    return next((meaning for meaning in (*codes, *texts) if meaning), None)


def reason_of(name: str, report: Report) -> str:
    """Return the provider's first own code in a report, for display."""
    words = (at(unwrapped(report), rule.path, "") for rule in MAIL_PROVIDERS[name].rules)
    return next((word for word in words if word), "")


def at(report: Any, path: str, recipient: str) -> str:
    """Return the text at a path of a report, "" if there is none; in a list, of the recipient's entry."""
    found = report
    for name in path.split("."):
        if isinstance(found, list):
            found = next((each for each in found if _is_about(each, recipient)), found[0] if len(found) == 1 else None)
        found = found.get(name) if isinstance(found, Mapping) else None
    return str(found) if isinstance(found, str | int) else ""


def _is_about(entry: Any, recipient: str) -> bool:
    return isinstance(entry, Mapping) and str(entry.get("emailAddress", "")).casefold() == recipient.casefold()


def _by_code(reply: str) -> Meaning | None:
    found = ENHANCED.search(reply)
    if found is None or found["code"] in SAYS_NOTHING:
        return None
    permanent = (found["basic"] or found["code"]).startswith("5")
    return Meaning.NO_SUCH_USER if permanent and found["code"] in NO_SUCH_USER_CODES else Meaning.NOT_DELIVERED


def _by_text(reply: str) -> Meaning | None:
    """Interpret a reply without an enhanced code. Words for other problems take precedence over "unknown user"."""
    basic, text = BASIC.search(reply), reply.casefold()
    if basic is not None and basic["basic"].startswith("4"):
        return Meaning.NOT_DELIVERED
    if OTHER_TROUBLE.search(text):
        return Meaning.NOT_DELIVERED
    if UNKNOWN_USER.search(text):
        return Meaning.NO_SUCH_USER
    return Meaning.NOT_DELIVERED if basic is not None else None


def _matches(word: str, found: str) -> bool:
    part = word.strip("*")
    if word.startswith("*"):
        return part in found
    return found.startswith(part) if word.endswith("*") else found == part
