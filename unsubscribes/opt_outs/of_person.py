"""The opt-outs and opt-ins of one person, including those of the address from before the person was created."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from django.utils import timezone

from compliance.models import Suppression
from compliance.suppression import suppression
from contacts.events import history
from contacts.models import Contact, ContactEvent
from unsubscribes.models import ConsentEvidence

OPT_OUT_ACTIONS = (history.UNSUBSCRIBED, history.RESUBSCRIBED, history.CREATED, history.UNMERGED)


@dataclass(frozen=True, slots=True)
class PersonOptOut:
    """One opt-out (`unsubscribed`) or opt-in (`resubscribed`).

    `source` is a `Suppression.Source`, `re_consent`, or empty if it is not known any more.
    """

    at: dt.datetime
    kind: str
    source: str
    reason: str
    actor: str
    evidence: ConsentEvidence | None = None


def of_person(contact: Contact) -> list[PersonOptOut]:
    """Return the opt-outs and opt-ins of `contact` (with its card), newest first.

    A person who was created with a suppressed address has no event of that opt-out; it is read from the suppression.
    Nor has one who came back, by the undo of a merge, with an opt-out that was said meanwhile.
    """
    events = list(history.of_contact(contact.pk).filter(action__in=OPT_OUT_ACTIONS))
    told = _telling(events)
    held = suppression.of_address(contact.email_key) if contact.card.unsubscribed else None
    evidence = contact.evidence.in_bulk() if history.RESUBSCRIBED in {event.action for event in told} else {}
    said = [_of_event(event, held, evidence) for event in told]
    if contact.card.unsubscribed and history.UNSUBSCRIBED not in {entry.kind for entry in said}:
        said.append(_of_address(held, timezone.now()))
    return sorted(said, key=lambda entry: entry.at, reverse=True)


def _telling(events: Iterable[ContactEvent]) -> list[ContactEvent]:
    """Return the events that tell an opt-out or an opt-in: to come, or come back, with a "no" tells one that is new."""
    told, is_out = [], False
    for event in sorted(events, key=lambda event: (event.at, event.id)):
        comes = event.action in (history.CREATED, history.UNMERGED)
        if not comes or (event.changes.get("suppressed") and not is_out):
            told.append(event)
            is_out = event.action != history.RESUBSCRIBED
    return told


def _of_event(event: ContactEvent, held: Suppression | None, evidence: Mapping[int, ConsentEvidence]) -> PersonOptOut:
    if event.action == history.CREATED:
        return _of_address(held, event.at)
    if event.action == history.UNMERGED:
        return replace(_of_address(held, event.at), at=event.at)
    words = {name: change[1] or "" for name, change in event.changes.items() if isinstance(change, list)}
    source = words.get("source") or ("re_consent" if event.action == history.RESUBSCRIBED else "")
    shown = evidence.get(int(words.get("evidence", 0)))
    return PersonOptOut(event.at, event.action, source, words.get("reason", ""), event.actor_name, shown)


def _of_address(held: Suppression | None, known_at: dt.datetime) -> PersonOptOut:
    if held is None or held.since > known_at:
        return PersonOptOut(known_at, history.UNSUBSCRIBED, "", "", "")
    return PersonOptOut(held.since, history.UNSUBSCRIBED, held.source, held.reason, "")
