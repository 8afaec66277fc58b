"""A small fold of the history, written apart from the product's: what the events say of everybody now."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.source_registry import SourceType
from contacts.models import ContactEvent
from tests.history_machine.seen import ON_CARD, WORDS, Seen

EMPTY = dict.fromkeys(ON_CARD) | {
    "authorization_other": "",
    "consent_purpose": "",
    "source_other": "",
    "unsubscribed": False,
    "looks_opted_out": False,
}
CLOCKS = ("basis_since", "reviewed_on")
CODES: dict[str, Any] = {"authorization_type": AuthorizationType, "source_type": SourceType}
DETAILS = WORDS - set(EMPTY)


@dataclass(slots=True)
class Folded:
    """One person: what the events say of the card and, as far as they have changed, of the details."""

    here: bool = False
    card: dict[str, Any] = field(default_factory=lambda: dict(EMPTY))
    details: dict[str, Any] = field(default_factory=dict)
    forgotten: bool = False

    def take(self, event: ContactEvent) -> None:
        """Go on by one event."""
        day = timezone.localdate(event.at)
        self._look(event.action)
        match event.action:
            case "created":
                self.here = True
                self._set({name: [None, value] for name, value in event.changes.items()})
                self.card["unsubscribed"] = "suppressed" in event.changes
                self.card["basis_since"] = day if "authorization_type" in event.changes else None
            case "edited":
                self._edit(event.changes)
            case "authorization":
                self._set(event.changes)
                self.card |= {"basis_since": day, "reviewed_on": None}
                self._keep_clocks(event.changes)
            case "source" | "corrected":
                self._set(event.changes)
            case "unsubscribed" | "resubscribed":
                self.card["unsubscribed"] = event.action == "unsubscribed"
            case "restricted" | "unrestricted":
                self.card["restricted_at"] = event.at if event.action == "restricted" else None
            case "informed":
                self.card["informed_at"] = None if event.changes["how"][1] == "came_back" else event.at
            case "reviewed":
                self.card |= {"basis_since": day, "reviewed_on": day}
            case "merged" | "unmerged" | "deleted" | "scrubbed":
                self._turn(event)

    def _look(self, action: str) -> None:
        if action in {"looked_alike", "looked_apart", "told_apart", "unsubscribed"}:
            self.card["looks_opted_out"] = action == "looked_alike"

    def _keep_clocks(self, changes: dict[str, Any]) -> None:
        """Take the clocks of a basis that stands on, after an undo or a merge."""
        self._set({name: changes[name] for name in CLOCKS if name in changes})

    def _turn(self, event: ContactEvent) -> None:
        self._keep_clocks(event.changes)
        if event.action == "scrubbed":
            self.forgotten, self.details = True, {}
        elif event.action == "unmerged":
            self.here = True
            if "unsubscribed" in event.changes:
                self.card["unsubscribed"] = event.changes["unsubscribed"][1]
        elif event.action == "deleted" or "into" in event.changes:
            self.here = False

    def _set(self, changes: dict[str, Any]) -> None:
        for name in changes.keys() & EMPTY.keys():
            self.card[name] = _value(name, changes[name][1])

    def _edit(self, changes: dict[str, Any]) -> None:
        for name in changes.keys() & DETAILS:
            was, became = changes[name]
            assert self.details.get(name, was) == was, f"{name}: {was} follows {self.details[name]}"
            self.details[name] = became


def everybody() -> dict[int, Folded]:
    """Return what the events say of everybody who ever was, by number."""
    people: dict[int, Folded] = {}
    for event in ContactEvent.objects.order_by("at", "id"):
        people.setdefault(event.contact_id, Folded()).take(event)
    return people


def differences(people: dict[int, Folded], seen: Seen) -> list[tuple[Any, ...]]:
    """Return where the fold differs from what is seen: the person, the part, what the events say, what is seen."""
    found: list[tuple[Any, ...]] = []
    here = {number for number, folded in people.items() if folded.here}
    if here != set(seen):
        found.append(("here", here, set(seen)))
    for number in here & set(seen):
        folded = people[number]
        said = folded.details | folded.card
        wanted = {name: value for name, value in said.items() if not (folded.forgotten and name in WORDS)}
        found += [(number, name, value, seen[number][name]) for name, value in wanted.items()
                  if value != seen[number][name]]  # fmt: skip
    return found


def _value(name: str, value: Any) -> Any:
    if value is None:
        return EMPTY[name]
    if name in CODES:
        return CODES[name].from_slug(value).value
    return dt.date.fromisoformat(value) if name in {"consent_date", *CLOCKS} else value
