"""Changing details, owner and card of one person at once: all of it or nothing."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from compliance.card import card_changes, editing
from compliance.card.rules import Authorization, Source
from compliance.models import ComplianceCard
from contacts.models import Contact, User
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.transactions import act
from salesconnect.lib.outcome import Outcome


class OwnerChoice(Enum):
    """Stands where no owner is named: null is a choice of its own."""

    UNCHANGED = "unchanged"


@act
def revise(
    contact_id: int,
    *,
    actor: Actor,
    details: Mapping[str, str] | None = None,
    card: Mapping[str, Any] | None = None,
    owner: User | OwnerChoice | None = OwnerChoice.UNCHANGED,
    version: int | None = None,
    clocks: card_changes.ReviewClock | None = None,
    although_erased: bool = False,
) -> Outcome:
    """Set what is named of one person, in one transaction; what is not named stays.

    `card` maps the card's fields to their values, types as members of `AuthorizationType` and `SourceType`. Raises
    what `editing.edit` and `card_changes.edit_card` raise, `Missing`, `Restricted`, and `Stale` when the person left
    `version`.
    """
    actor.require("edit_people")
    editing.lock(contact_id, details or {})
    if version is not None:
        card_changes.check_version(contact_id, version)
    outcome, people = Outcome(), Contact.objects.filter(pk=contact_id)
    if card:
        authorization, source = with_changes(ComplianceCard.objects.get(pk=contact_id), card)
        outcome += card_changes.edit_card(people, authorization, source, actor=actor, clocks=clocks)
    if details:
        outcome += editing.edit(contact_id, details, actor=actor, although_erased=although_erased)
    if owner is not OwnerChoice.UNCHANGED:
        outcome += editing.assign(contact_id, owner, actor=actor)
    return Outcome(changed=1) if outcome.changed else Outcome(unchanged=1)


def with_changes(card: ComplianceCard, named: Mapping[str, Any]) -> tuple[Authorization, Source]:
    """Return both halves of a card after the `named` fields were set.

    A type that changes takes date, purpose and description of the old one away with it, unless they are named.
    """
    stored = vars(card)
    old, old_source = Authorization.from_values(stored), Source.from_values(stored)
    return _authorization(old, named), _source(old_source, named)


def _authorization(old: Authorization, named: Mapping[str, Any]) -> Authorization:
    kind = named.get("authorization_type", old.type)
    kept = old if kind == old.type else Authorization(kind)
    return Authorization.from_values(kept.values() | dict(named) | {"authorization_type": kind})


def _source(old: Source, named: Mapping[str, Any]) -> Source:
    kind = named.get("source_type", old.type)
    kept = old if kind == old.type else Source(kind)
    return Source.from_values(kept.values() | dict(named) | {"source_type": kind})
