"""Merges two records of one person; undoable for 30 days. An opt-out of either record is kept.

The survivor is changed by the usual acts, which record their usual events. The absorbed record is deleted; its events
stay under its id and are shown with the survivor's.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db.models import Exists, Model, OuterRef, QuerySet
from django.db.models.fields.reverse_related import ForeignObjectRel
from django.utils.translation import gettext as _

from compliance.card import card_changes, editing
from compliance.card.rules import Authorization, Source
from compliance.models import ComplianceCard, Suppression
from compliance.suppression import suppression
from compliance.suppression.address_locks import lock_people
from contacts.events import history
from contacts.models import Contact, Merge, OnMerge
from contacts.people.field_registry import DETAILS
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.transactions import act
from salesconnect.lib.errors import Invalid, Missing
from unsubscribes.evidence.rules import stricter
from unsubscribes.mail import duplicates
from unsubscribes.models import MailFailure

BASIS_CLOCKS = ("basis_since", "reviewed_on")
CLOCKS = (*BASIS_CLOCKS, "informed_at")
MOVING = (OnMerge.MOVES, OnMerge.MOVES_UNLESS_THERE)

Changes = dict[str, tuple[str | None, str | None]]


@act
def merge(
    survivor_id: int,
    other_id: int,
    *,
    actor: Actor,
    take: Collection[str] = (),
    versions: tuple[int, int] | None = None,
) -> Merge:
    """Merge the record `other_id` into `survivor_id`; returns the row that allows to undo it.

    A field of the other record is taken if it is named in `take`, or if the survivor's is empty. The stricter
    authorization is kept, and an opt-out of either applies to the result and to both addresses. Rows that reference the
    other record, such as mail, are moved. Raises `Forbidden`, `Missing`, `Restricted`, `Invalid` (`other`, `take`), and
    `Stale` when one of the two is no longer at its version in `versions`.
    """
    actor.require("merge_people")
    if unknown := set(take) - set(DETAILS):
        raise Invalid({"take": [_("There is no detail “%(name)s”.") % {"name": min(unknown)}]})
    survivor, other = _both(survivor_id, other_id, actor, versions)
    basis = stricter_card(survivor.card, other.card)
    record = Merge(survivor_id=survivor_id, absorbed_id=other_id, actor_name=actor.name, absorbed=_snapshot(other))
    wanted = merged_details(survivor, other, take)
    record.changes = {
        "details": {name: [getattr(survivor, name), value] for name, value in wanted.items()},
        "card": [_card(survivor), None],
    }
    _share_the_no(survivor, other, actor)
    record.moved = _move(other_id, survivor_id)
    duplicates.hold(survivor_id)
    # Addresses are unique, so the other record has to go before the survivor can take its address.
    ComplianceCard.objects.filter(pk=other_id).delete()
    Contact.objects.filter(pk=other_id).delete()
    _take_over(survivor, other, wanted, actor)
    _forget_failures(survivor_id)
    clocks = set_clocks(survivor_id, _card_values(basis))
    record.changes["card"][1] = _card(_fresh(survivor_id))
    record.save()
    history.record([other_id], history.MERGED, actor=actor, changes={"into": (None, survivor_id)})
    history.record([survivor_id], history.MERGED, actor=actor, changes={"merged": (None, other_id), **clocks})
    return record


def merged_details(survivor: Contact, other: Contact, take: Collection[str]) -> dict[str, str]:
    return {
        name: getattr(other, name)
        for name in DETAILS
        if getattr(other, name)
        and getattr(other, name) != getattr(survivor, name)
        and (name in take or not getattr(survivor, name))
    }


def stricter_card(survivor: ComplianceCard, other: ComplianceCard) -> ComplianceCard:
    """Return the card with the stricter legal basis; on a tie the older one.

    The basis keeps its dates, because a merge is no review.
    """
    one, two = _authorization(survivor), _authorization(other)
    if one == two:
        return min(survivor, other, key=lambda card: (card.basis_since or dt.date.max, card.reviewed_on or dt.date.min))
    return survivor if stricter(one, two) == one else other


def dropped_basis(survivor: ComplianceCard, other: ComplianceCard) -> Authorization | None:
    """Return the legal basis that the merge drops; None if it is empty or equal to the kept one."""
    stays = stricter_card(survivor, other)
    kept, lost = _authorization(stays), _authorization(other if stays is survivor else survivor)
    return lost if lost.type and lost != kept else None


def set_clocks(contact_id: int, wanted: Mapping[str, Any]) -> Changes:
    """Restore the dates of a legal basis from `wanted`, the values of a snapshot; return the changes.

    `authorise` sets them as for a basis that is chosen anew.
    """
    card = ComplianceCard.objects.get(pk=contact_id)
    was = {name: value.isoformat() if (value := getattr(card, name)) else None for name in BASIS_CLOCKS}
    becomes = {name: wanted.get(name) for name in BASIS_CLOCKS}
    if was == becomes:
        return {}
    ComplianceCard.objects.filter(pk=contact_id).update(**becomes)
    return {name: (was[name], becomes[name]) for name in BASIS_CLOCKS}


def basis_of(card: ComplianceCard) -> dict[str, Any]:
    """Return the legal basis of a card with its dates, in the form of a snapshot."""
    names = (*(column.name for column in card_changes.AUTHORIZATION_COLUMNS), *BASIS_CLOCKS)
    return {name: value for name, value in _card_values(card).items() if name in names}


def _authorization(card: ComplianceCard) -> Authorization:
    return Authorization.from_values(_card_values(card))


def rows_of_people() -> list[tuple[type[Model], str]]:
    """Return the models whose rows move with their person (`on_merge`), with the name of their foreign key."""
    relations = [each for each in Contact._meta.get_fields(include_hidden=True) if isinstance(each, ForeignObjectRel)]
    return [
        (each.related_model, each.field.name)
        for each in relations
        if each.related_model.on_merge in MOVING  # type: ignore[attr-defined] # declared by each such model
    ]


def _both(survivor_id: int, other_id: int, actor: Actor, versions: tuple[int, int] | None) -> tuple[Contact, Contact]:
    if survivor_id == other_id:
        raise Invalid({"other": [_("A record cannot be merged into itself.")]})
    lock_people(Contact.objects.filter(pk__in=[survivor_id, other_id]))
    people = Contact.objects.visible_to(actor).select_related("card").in_bulk([survivor_id, other_id])
    if survivor_id not in people:
        raise Missing
    if other_id not in people:
        raise Invalid({"other": [_("There is no person with this number.")]})
    for number, version in zip((survivor_id, other_id), versions or (), strict=False):
        card_changes.check_version(number, version)
    return people[survivor_id], people[other_id]


def _share_the_no(survivor: Contact, other: Contact, actor: Actor) -> None:
    if survivor.card.unsubscribed == other.card.unsubscribed:
        return
    said_no, mailable = (survivor, other) if survivor.card.unsubscribed else (other, survivor)
    held = suppression.of_address(said_no.email_key)
    suppression.unsubscribe(
        Contact.objects.filter(pk=mailable.pk),
        actor=actor,
        source=held.source if held else Suppression.Source.MANUAL,
        reason=history.MERGED,
    )


def _take_over(survivor: Contact, other: Contact, wanted: dict[str, str], actor: Actor) -> None:
    people = Contact.objects.filter(pk=survivor.pk)
    if wanted:
        editing.edit(survivor.pk, wanted, actor=actor)
    if survivor.owner is None and other.owner is not None:
        editing.assign(survivor.pk, other.owner, actor=actor)
    card_changes.authorise(people, _authorization(stricter_card(survivor.card, other.card)), actor=actor)
    if survivor.card.source_type is None:
        card_changes.set_source(people, Source.from_values(_card_values(other.card)), actor=actor)


def _move(from_id: int, to_id: int) -> dict[str, list[int]]:
    """Move all rows of one person to another; returns their ids by model."""
    moved = {}
    for model, key in rows_of_people():
        rows = _movable(model, key, from_id, to_id)
        if ids := list(rows.values_list("pk", flat=True)):
            moved[model._meta.label] = ids
            model._base_manager.filter(pk__in=ids).update(**{key: to_id})
    return moved


def _movable(model: type[Model], key: str, from_id: int, to_id: int) -> QuerySet[Model]:
    """Return the rows of one person that can move to the other without violating a unique constraint."""
    rows = model._base_manager.filter(**{key: from_id})
    if model.on_merge is OnMerge.MOVES_UNLESS_THERE:  # type: ignore[attr-defined] # declared by each such model
        for names in uniques(model, key):
            same = {name: OuterRef(name) for name in names if name != key}
            rows = rows.exclude(Exists(model._base_manager.filter(**{key: to_id}, **same)))
    return rows


def uniques(model: type[Model], key: str) -> list[Sequence[str]]:
    """Return the fields of each unique constraint of a model that includes the foreign key `key`."""
    constraints = [each.fields for each in model._meta.total_unique_constraints if key in each.fields]
    together = [each for each in model._meta.unique_together if key in each]
    return [*constraints, *together]


def _forget_failures(contact_id: int) -> None:
    """Delete mail failures of addresses other than the person's present one."""
    hashes = Contact.objects.filter(pk=contact_id).exclude(address_hash=None).values("address_hash")
    MailFailure.objects.filter(contact_id=contact_id).exclude(address_hash__in=hashes).delete()


def _fresh(contact_id: int) -> Contact:
    return Contact.objects.select_related("card").get(pk=contact_id)


def _snapshot(person: Contact) -> dict[str, Any]:
    details = {name: getattr(person, name) for name in DETAILS}
    created_at = person.created_at.isoformat()
    return {"details": details, "owner": person.owner_id, "created_at": created_at, "card": _card(person)}


def _card(person: Contact) -> dict[str, Any]:
    return _card_values(person.card)


def _card_values(card: ComplianceCard) -> dict[str, Any]:
    columns = (*card_changes.AUTHORIZATION_COLUMNS, *card_changes.SOURCE_COLUMNS)
    values = {column.name: getattr(card, column.name) for column in columns}
    date = values["consent_date"]
    return values | {
        "consent_date": date.isoformat() if date else None,
        **{name: moment.isoformat() if (moment := getattr(card, name)) else None for name in CLOCKS},
        "unsubscribed": card.unsubscribed,
        "version": card.version,
    }
