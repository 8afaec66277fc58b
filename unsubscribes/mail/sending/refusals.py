"""Classifies a mail server's refusal: is it about us as the sender, the recipient, or this message? Pure.

Only refusals about the recipient or the message may fail a message. An exhausted quota, a relay that does not accept us
or a wrong password would affect every mail, and passes once an administrator has fixed it.
"""

import re
from enum import Enum

from unsubscribes.reports.meanings import ENHANCED


class RefusedBecauseOf(Enum):
    SENDER = "sender"
    RECIPIENT = "recipient"
    MESSAGE = "message"


# Servers' words for quotas, relaying, sign-in and our reputation. They take precedence over most codes, which many
# servers choose arbitrarily.
OURS = re.compile(
    r"(?:daily|hourly|monthly|sending|send|submission|outgoing|outbound|rate)[ -]?"
    r"(?:(?:user|sending|send|messages?|mails?|emails?|recipient) )*(?:limit|quota)"
    r"|submissionquota|quotaexceeded|limit on the number"
    r"|number of (?:allowed )?(?:outgoing )?(?:messages|recipients|mails)"
    r"|too many (?:messages|mails|emails|connections|recipients)|rate[ -]?limit|throttl"
    r"|relay|not (?:allowed|authori[sz]ed|permitted) to (?:send|relay|use)|authenticat|auth(?:ori[sz]ation)? required"
    r"|credential|log ?in|password|sender|return[ -]path|mail from|from (?:address|header|domain)"
    r"|not verified|unverified|account (?:is |has been )?(?:suspended|disabled|blocked|locked)"
    r"|spf|dkim|dmarc|reputation|bl[ao]c?k ?list|\bip\b|starttls|encryption required"
)
GREYLISTED = re.compile(r"gr[ea]y.?list")
TOO_BIG = {"5.3.4", "5.2.3"}
# No such mailbox, ambiguous, badly written, moved, no mail taken; disabled, full: whatever words stand beside them.
PLAINLY_THE_RECIPIENT = re.compile(r"[45]\.(?:1\.(?:1|2|3|4|6|10)|2\.[12])")
SENDERS_ADDRESS = {"1.7", "1.8"}
OF_THE_RECIPIENT = {"1", "2"}
CONGESTED = "4.5"
# RFC 5321 and 4954 without an enhanced code: what is about a mailbox or its host, and what is about the message.
BASIC_RECIPIENT = {450, 501, 510, 511, 550, 551, 553, 556}
BASIC_MESSAGE = {552, 554}


def cause_of_refusal(code: int, said: str, *, at_data: bool = False) -> RefusedBecauseOf:
    """Classify a refusal by its code and text; `at_data` says that it answers the content (DATA)."""
    text, found = said.casefold(), ENHANCED.search(f"{code} {said}")
    enhanced = found["code"] if found else ""
    if PLAINLY_THE_RECIPIENT.fullmatch(enhanced):
        return RefusedBecauseOf.RECIPIENT
    if enhanced in TOO_BIG:
        return RefusedBecauseOf.MESSAGE
    if GREYLISTED.search(text):
        return RefusedBecauseOf.RECIPIENT
    if OURS.search(text):
        return RefusedBecauseOf.SENDER
    return _by_enhanced(enhanced, at_data=at_data) if enhanced else _by_basic(code, at_data=at_data)


def _by_enhanced(enhanced: str, *, at_data: bool) -> RefusedBecauseOf:
    """Classify an enhanced status code of RFC 3463, class.subject.detail."""
    _class, subject, detail = enhanced.split(".")
    within = f"{subject}.{detail}"
    if within in SENDERS_ADDRESS or within == CONGESTED:
        return RefusedBecauseOf.SENDER
    if subject == "6":
        return RefusedBecauseOf.MESSAGE
    if subject in OF_THE_RECIPIENT or (subject in {"4", "5"} and not at_data):
        return RefusedBecauseOf.RECIPIENT
    if subject == "0":
        return RefusedBecauseOf.MESSAGE if at_data else RefusedBecauseOf.RECIPIENT
    return RefusedBecauseOf.SENDER


def _by_basic(code: int, *, at_data: bool) -> RefusedBecauseOf:
    if code in BASIC_MESSAGE:
        return RefusedBecauseOf.MESSAGE if at_data else RefusedBecauseOf.RECIPIENT
    return RefusedBecauseOf.RECIPIENT if code in BASIC_RECIPIENT else RefusedBecauseOf.SENDER
