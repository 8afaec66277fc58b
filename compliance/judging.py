"""The verdict of a person as things stand: the card, what is known of the address, and the policy in force."""

import datetime as dt
from dataclasses import replace

from django.utils.translation import gettext as _t

from compliance import policy, suppression
from compliance.models import ComplianceCard
from compliance.verdict import MAY, Reason, Said, Verdict, verdict
from contacts.rules import is_sendable

UNSENDABLE = "unsendable"


def judged(card: ComplianceCard, now: dt.datetime) -> Verdict:
    """Return the verdict for a card, whose contact is at hand, with the words for the suppression of the address."""
    held = suppression.of_address(card.contact.email_key)
    said = Said(held.since, held.source) if held else None
    found = verdict(card, policy.current(), now, said)
    if is_sendable(card.contact.email_key):
        return found
    # It says nothing of whether the person may be contacted, only that no mail gets there.
    words = _t("No mail can be sent to the address: it has letters outside a to z before the @.")
    return replace(found, reasons=(*found.reasons, Reason(UNSENDABLE, words, MAY)))
