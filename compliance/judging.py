"""The verdict of a person as things stand: the card, what is known of the address, and the policy in force."""

import datetime as dt

from compliance import policy, suppression
from compliance.models import ComplianceCard
from compliance.verdict import Said, Verdict, verdict


def judged(card: ComplianceCard, now: dt.datetime) -> Verdict:
    """Return the verdict for a card, whose contact is at hand, with the words for the suppression of the address."""
    held = suppression.of_address(card.contact.email_key)
    said = Said(held.since, held.source) if held else None
    return verdict(card, policy.current(), now, said)
