"""What each provider's report says of an address; with no database, for the table is pure."""

import pytest

from unsubscribes.reports.meanings import Meaning, of_replies, of_report

GONE, FAILED, NO, COMPLAINT = Meaning.NO_SUCH_USER, Meaning.NOT_DELIVERED, Meaning.OPTED_OUT, Meaning.COMPLAINED
ANNA = "anna@example.com"


@pytest.mark.parametrize(
    ("reply", "meaning"),
    [
        ("550 5.1.1 user unknown", GONE),
        ("smtp; 550-5.1.1 The email account does not exist", GONE),
        ("host mx.example said: 550 5.1.1 <a@example.com>: Recipient address rejected", GONE),
        ("550 5.1.10 RESOLVER.ADR.RecipientNotFound", GONE),
        ("550 5.1.6 moved", GONE),
        ("550 5.1.2 no such domain", GONE),
        ("5.1.1", GONE),
        ("550 no such user", GONE),
        ("550 <a@example.com>: User unknown in local recipient table", GONE),
        ("550 5.0.0 no such user", GONE),
        ("450 5.1.1 wait", FAILED),
        ("450 4.1.1 no such user for now", FAILED),
        ("450 no such user", FAILED),
        ("550 5.2.2 mailbox full", FAILED),
        ("550 5.2.1 disabled", FAILED),
        ("550 5.7.1 our policy; see 5.1.1", FAILED),
        ("550 5.4.1 Recipient address rejected: Access denied", FAILED),
        ("550 user unknown, too many of them: blocked", FAILED),
        ("550 rejected: 10.5.1.1 is listed", FAILED),
        ("550 rejected: 5.1.1.7 is listed", FAILED),
        ("550 sender domain not found", FAILED),
        ("Recipient address rejected: User unknown", GONE),
        ("user unknown; blocked for spam", FAILED),
        ("blocked by the recipient's server", FAILED),
        ("Too old", None),
        ("", None),
    ],
)
def test_a_reply_means_no_such_user_only_by_its_code_or_plain_words(reply, meaning):
    assert of_replies([reply]) is meaning


def mailgun(reason="generic", event="failed", **status):
    return {"event-data": {"event": event, "severity": "permanent", "reason": reason, "delivery-status": status}}


def ses(sub_type="General", kind="Permanent", **recipient):
    entries = [{"emailAddress": "other@example.com", "status": "5.1.1"}, {"emailAddress": ANNA, **recipient}]
    return {"bounce": {"bounceType": kind, "bounceSubType": sub_type, "bouncedRecipients": entries}}


@pytest.mark.parametrize(
    ("provider", "event", "report", "meaning"),
    [
        ("mailgun", "bounced", mailgun("old", code=602, message="Too old"), FAILED),
        ("mailgun", "bounced", mailgun("bounce", code=550, message="5.1.1 no mailbox"), GONE),
        ("mailgun", "bounced", mailgun("bounce", code=550, message="5.7.1 blocked"), FAILED),
        ("mailgun", "bounced", mailgun("bounce", code=550, message=""), GONE),
        ("mailgun", "bounced", mailgun("bounce", code=550, message="blocked by policy"), FAILED),
        ("mailgun", "bounced", mailgun("bounce", code=602, message="Too old"), FAILED),
        ("mailgun", "bounced", mailgun("generic", code=552, message="5.2.2 full"), FAILED),
        ("mailgun", "bounced", mailgun("suppress-bounce", code=605, message="previously bounced"), FAILED),
        ("mailgun", "bounced", mailgun("suppress-unsubscribe", code=606), NO),
        ("mailgun", "bounced", mailgun("suppress-complaint", code=607), COMPLAINT),
        ("mailgun", "deferred", mailgun("generic", code=450, message="4.2.2 full"), Meaning.NOTHING),
        ("mailgun", "rejected", {"event": "dropped", "code": "607", "description": "spam"}, COMPLAINT),
        ("mailgun", "rejected", {"event": "dropped", "code": "606"}, NO),
        ("sendgrid", "rejected", {"event": "dropped", "reason": "Unsubscribed Address"}, NO),
        ("sendgrid", "rejected", {"event": "dropped", "type": "Unsubscribed Address"}, NO),
        ("sendgrid", "rejected", {"event": "dropped", "reason": "spam reporting address"}, COMPLAINT),
        ("sendgrid", "rejected", {"event": "dropped", "reason": "Bounced Address"}, FAILED),
        ("sendgrid", "bounced", {"type": "bounce", "status": "5.1.1", "reason": "550 5.1.1 unknown"}, GONE),
        ("sendgrid", "bounced", {"type": "bounce", "status": "5.0.0", "reason": "550 5.7.1 listed"}, FAILED),
        ("sendgrid", "bounced", {"type": "blocked", "status": "5.1.1", "reason": "550 5.1.1"}, FAILED),
        ("sendgrid", "bounced", {"type": "bounce", "bounce_classification": "Invalid Address"}, GONE),
        ("sendgrid", "bounced", {"type": "bounce", "bounce_classification": "Reputation"}, FAILED),
        ("sendgrid", "deferred", {"reason": "unsubscribed address"}, Meaning.NOTHING),
        ("postmark", "bounced", {"Type": "HardBounce", "Details": "smtp;550 5.1.1 no"}, GONE),
        ("postmark", "bounced", {"Type": "HardBounce", "Details": ""}, GONE),
        ("postmark", "bounced", {"Type": "HardBounce", "Details": "smtp;550 5.7.1 blocked"}, FAILED),
        ("postmark", "rejected", {"Type": "Blocked", "Details": "smtp;550 5.7.1 blocked"}, FAILED),
        ("postmark", "complained", {"Type": "SpamComplaint"}, COMPLAINT),
        ("postmark", "complained", {"Type": "SpamNotification"}, FAILED),
        ("postmark", "complained", {"SuppressionReason": "SpamComplaint"}, COMPLAINT),
        ("postmark", "bounced", {"SuppressionReason": "HardBounce"}, FAILED),
        ("postmark", "unsubscribed", {"SuppressionReason": "ManualSuppression"}, NO),
        ("amazon_ses", "bounced", ses("NoEmail"), GONE),
        ("amazon_ses", "bounced", ses(status="5.1.1", diagnosticCode="smtp; 550 5.1.1 unknown"), GONE),
        ("amazon_ses", "bounced", ses(status="5.1.1", diagnosticCode="smtp; 550 5.7.1 blocked"), FAILED),
        ("amazon_ses", "bounced", ses("OnAccountSuppressionList", status="5.1.1"), FAILED),
        ("amazon_ses", "bounced", ses("Suppressed", status="5.1.1"), FAILED),
        ("amazon_ses", "bounced", ses("MailboxFull", "Transient", status="5.2.2"), FAILED),
        ("amazon_ses", "complained", {"complaint": {"complaintSubType": "OnAccountSuppressionList"}}, COMPLAINT),
        (
            "amazon_ses",
            "unknown",
            {"eventType": "Subscription", "subscription": {"newTopicPreferences": {"unsubscribeAll": True}}},
            NO,
        ),
        ("amazon_ses", "complained", {"complaint": {"complaintFeedbackType": "abuse"}}, COMPLAINT),
        ("amazon_ses", "complained", {"complaint": {"complaintFeedbackType": "not-spam"}}, Meaning.NOTHING),
        ("amazon_ses", "complained", {"complaint": {"complaintFeedbackType": "auth-failure"}}, Meaning.NOTHING),
        ("amazon_ses", "complained", {"complaint": {"complaintFeedbackType": "virus"}}, Meaning.NOTHING),
        ("amazon_ses", "bounced", ses("UnsubscribedRecipient", status="5.1.1"), NO),
        ("sparkpost", "complained", {"msys": {"message_event": {"fbtype": "not-spam"}}}, Meaning.NOTHING),
        ("sparkpost", "complained", {"msys": {"message_event": {"fbtype": "abuse"}}}, COMPLAINT),
        ("sparkpost", "bounced", {"msys": {"message_event": {"bounce_class": "30"}}}, GONE),
        ("mandrill", "unknown", {"type": "blacklist", "action": "add", "reject": {"reason": "unsub"}}, NO),
        (
            "mandrill",
            "unknown",
            {"type": "blacklist", "action": "remove", "reject": {"reason": "unsub"}},
            Meaning.NOTHING,
        ),
        ("mandrill", "unknown", {"type": "whitelist", "action": "add", "reject": {"reason": "spam"}}, Meaning.NOTHING),
        ("brevo", "unknown", {"event": "unsubscribed"}, NO),
        ("brevo", "failed", {"event": "error", "reason": "The List-Unsubscribe header is invalid"}, FAILED),
        ("mailjet", "bounced", {"error": "user unknown", "hard_bounce": False}, FAILED),
        ("brevo", "bounced", {"event": "hard_bounce"}, GONE),
        ("brevo", "bounced", {"event": "hard_bounce", "reason": "550 5.7.1 blocked"}, FAILED),
        ("brevo", "bounced", {"event": "soft_bounce", "reason": "550 5.2.2 full"}, FAILED),
        ("brevo", "rejected", {"event": "blocked", "reason": "blocked : due to unsubscribed user"}, NO),
        ("brevo", "rejected", {"event": "blocked", "reason": "blocked : due to blacklist user"}, FAILED),
        ("mailjet", "bounced", {"error": "user unknown", "hard_bounce": True}, GONE),
        ("mailjet", "bounced", {"error": "relay/access denied", "hard_bounce": True}, FAILED),
        ("mailjet", "bounced", {"error": "quota exceeded", "hard_bounce": True}, FAILED),
        ("mailjet", "rejected", {"error": "spam reporter"}, COMPLAINT),
        ("sparkpost", "bounced", {"bounce_class": "10"}, GONE),
        ("sparkpost", "bounced", {"bounce_class": "22", "raw_reason": "552 5.2.2 full"}, FAILED),
        ("sparkpost", "bounced", {"bounce_class": "51"}, FAILED),
        ("sparkpost", "unsubscribed", {"type": "list_unsubscribe"}, NO),
        ("resend", "bounced", {"data": {"bounce": {"type": "Permanent", "subType": "NoEmail"}}}, GONE),
        ("resend", "bounced", {"data": {"bounce": {"type": "Permanent", "subType": "General"}}}, FAILED),
        ("resend", "bounced", {"data": {"bounce": {"type": "Permanent", "subType": "Suppressed"}}}, FAILED),
        ("mandrill", "bounced", {"event": "hard_bounce", "msg": {"bounce_description": "bad_mailbox"}}, GONE),
        ("mandrill", "bounced", {"event": "hard_bounce", "msg": {"diag": "smtp;550 5.7.1 spam"}}, FAILED),
        ("mandrill", "rejected", {"event": "reject", "reject": {"reason": "unsub"}}, NO),
        ("unisender_go", "bounced", {"delivery_info": {"delivery_status": "err_user_unknown"}}, GONE),
        ("unisender_go", "bounced", {"delivery_info": {"delivery_status": "err_mailbox_full"}}, FAILED),
        ("unisender_go", "bounced", {"delivery_info": {"delivery_status": "err_unsubscribed"}}, NO),
        ("mailtrap", "bounced", {"event": "bounce", "response": "550 5.1.1 unknown"}, GONE),
        ("mailtrap", "bounced", {"event": "bounce", "response": "550 blocked"}, FAILED),
        ("mailersend", "bounced", {"data": {"morph": {"reason": "550 5.1.1 unknown"}}}, GONE),
        ("mailersend", "bounced", {"data": {"morph": {"reason": "Recipient rejected: User unknown"}}}, GONE),
        ("mailersend", "bounced", {"data": {"type": "soft_bounced", "morph": {"reason": "User unknown"}}}, FAILED),
        ("brevo", "bounced", {"event": "hard_bounce", "reason": "blocked by the server"}, FAILED),
        ("mailersend", "bounced", {"data": {"morph": {"object": "recipient_unsubscribe"}}}, NO),
        ("postal", "failed", {"payload": {"output": "550 5.1.1 unknown"}}, GONE),
        ("postal", "failed", {"payload": {"output": "550 5.7.1 listed"}}, FAILED),
        ("postal", "delivered", {"payload": {"output": "550 5.1.1"}}, Meaning.DELIVERED),
    ],
)
def test_each_report_has_its_meaning(provider, event, report, meaning):
    assert of_report(provider, event, report, ANNA) is meaning


@pytest.mark.parametrize("report", [{}, [], 5, None, {"bounce": [1]}, {"event-data": "x"}])
@pytest.mark.parametrize("provider", ["mailgun", "amazon_ses", "sendgrid", "resend"])
def test_a_report_of_another_shape_is_no_opt_out(provider, report):
    assert of_report(provider, "bounced", report, ANNA) is FAILED
