"""What one sees of everybody now, and what the product tells of a past moment: these must be the same."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from compliance.models import Suppression
from compliance.verdict import asof, policy
from compliance.verdict.reason_registry import OptOut
from compliance.verdict.verdict import verdict
from contacts.models import Contact
from contacts.people.field_registry import DETAILS

OWN = (*DETAILS, "owner_id")
ON_CARD = tuple(field.name for field in fields(asof.PersonState) if field.name not in {"here", "said", "said_reason"})
WORDS = {*OWN, "authorization_other", "consent_purpose", "source_other"}
"""What an erasure takes out of the history of others who had heard of the erased."""

Seen = dict[int, dict[str, Any]]


def everybody(now: dt.datetime) -> Seen:
    """Return all that one sees of everybody now, by number: details, card, verdict with its reasons."""
    rules = policy.current()
    held = {row.address_hash: OptOut(row.since, row.source) for row in Suppression.objects.all()}
    return {
        contact.pk: {name: getattr(contact, name) for name in OWN}
        | {name: getattr(contact.card, name) for name in ON_CARD}
        | judged(verdict(contact.card, rules, now, held.get(contact.address_hash)))
        for contact in Contact.objects.select_related("card").order_by("pk")
    }


def judged(found: Any) -> dict[str, Any]:
    """Return a verdict as it is compared."""
    return {"verdict": found.code, "reasons": [reason.code for reason in found.reasons]}


def told(contact: Contact, moment: dt.datetime) -> dict[str, Any] | None:
    """Return what the product tells of one person who is here now, at a past moment."""
    past = asof.past(contact, moment)
    if past is None:
        return None
    own = {name: getattr(past.contact, name) for name in OWN}
    return own | {name: getattr(past.state, name) for name in ON_CARD} | judged(past.verdict)


def told_of_many(asked: list[tuple[int, dt.datetime]]) -> list[dict[str, Any] | None]:
    """Return what the events alone tell of people, also of those who are erased: no details."""
    return [
        {name: getattr(state, name) for name in ON_CARD} | judged(asof.judge(state, moment)) if state.here else None
        for (_number, moment), state in zip(asked, asof.states(asked), strict=True)
    ]


def without(values: dict[str, Any] | None, names: Iterable[str]) -> dict[str, Any] | None:
    """Return what was seen without some of its parts."""
    return None if values is None else {name: value for name, value in values.items() if name not in set(names)}
