"""The verdict of a person as things stand: the card, what is known of the address, and the policy in force."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

from django.utils.translation import gettext as _t

from compliance.models import ComplianceCard
from compliance.suppression import suppression
from compliance.verdict import policy
from compliance.verdict.reason_registry import OptOut
from compliance.verdict.verdict import MAY, Verdict, VerdictReason, verdict
from contacts.models import Contact
from contacts.people.rules import is_sendable

UNSENDABLE = "unsendable"
Note = Callable[[Contact], VerdictReason | None]
NOTES: list[Note] = []


def noted(note: Note) -> Note:
    """Register what is to be told beside the verdict, of which the card knows nothing; it changes no answer."""
    NOTES.append(note)
    return note


def judged(card: ComplianceCard, now: dt.datetime) -> Verdict:
    """Return the verdict for a card, whose contact is at hand, with the words for the suppression of the address."""
    held = suppression.of_address(card.contact.email_key)
    said = OptOut(held.since, held.source) if held else None
    found = verdict(card, policy.current(), now, said)
    notes = [reason for note in NOTES if (reason := note(card.contact))]
    return replace(found, reasons=(*found.reasons, *notes)) if notes else found


@noted
def _unsendable(contact: Contact) -> VerdictReason | None:
    # It says nothing of whether the person may be contacted, only that no mail gets there.
    if is_sendable(contact.email_key):
        return None
    return VerdictReason(
        UNSENDABLE, _t("No mail can be sent to the address: it has letters outside a to z before the @."), MAY
    )
