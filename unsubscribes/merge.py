"""Two records of one person become one, and can become two again for 30 days. A "no" of either is never lost by it.

What changes of the survivor is changed by the acts that change it at any other time, so that its history tells it. The
absorbed record goes; its events stay under its number and are read with the survivor's.
"""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext as _

from compliance import editing, services, suppression
from compliance.address_locks import lock_people
from compliance.models import ComplianceCard, Suppression
from compliance.rules import Authorization, AuthorizationType, Source, SourceType
from contacts import history
from contacts.details import DETAILS
from contacts.models import Contact, Merge
from salesconnect.lib.actor import Actor
from salesconnect.lib.errors import Invalid, Missing
from salesconnect.lib.transactions import act
from unsubscribes.rules import stricter

CLOCKS = ("basis_since", "reviewed_on", "informed_at")


@act
def merge(
    survivor_id: int,
    other_id: int,
    *,
    actor: Actor,
    take: Collection[str] = (),
    versions: tuple[int, int] | None = None,
) -> Merge:
    """Merge the record `other_id` into `survivor_id` and return what allows to undo it.

    A detail of the other is taken where it is named in `take` or the survivor has none. The stricter of the two
    authorizations stands, and an opt-out of either is one of the result and of both addresses. Whatever hangs on the
    other record, mail before all, moves. Raises `Forbidden`, `Missing`, `Restricted`, `Invalid` (`other`,
    `take`), and `Stale` when one of the two is no longer at its of the `versions`.
    """
    actor.require("merge_people")
    if unknown := set(take) - set(DETAILS):
        raise Invalid({"take": [_("There is no detail “%(name)s”.") % {"name": min(unknown)}]})
    survivor, other = _both(survivor_id, other_id, actor, versions)
    record = Merge(survivor_id=survivor_id, absorbed_id=other_id, actor_name=actor.name, absorbed=_snapshot(other))
    wanted = merged_details(survivor, other, take)
    record.changes = {
        "details": {name: [getattr(survivor, name), value] for name, value in wanted.items()},
        "card": [_card(survivor), None],
    }
    _share_the_no(survivor, other, actor)
    record.moved = _move(other_id, survivor_id)
    # The address must be free before the survivor takes it.
    ComplianceCard.objects.filter(pk=other_id).delete()
    Contact.objects.filter(pk=other_id).delete()
    _take_over(survivor, other, wanted, actor)
    record.changes["card"][1] = _card(_fresh(survivor_id))
    record.save()
    history.record([other_id], history.MERGED, actor=actor, changes={"into": (None, survivor_id)})
    history.record([survivor_id], history.MERGED, actor=actor, changes={"merged": (None, other_id)})
    return record


def merged_details(survivor: Contact, other: Contact, take: Collection[str]) -> dict[str, str]:
    """Return the details of the survivor that become those of the other."""
    return {
        name: getattr(other, name)
        for name in DETAILS
        if getattr(other, name)
        and getattr(other, name) != getattr(survivor, name)
        and (name in take or not getattr(survivor, name))
    }


def merged_authorization(survivor: ComplianceCard, other: ComplianceCard) -> Authorization:
    """Return the legal basis of the result: the stricter of the two."""
    return stricter(authorization_of(_card_values(survivor)), authorization_of(_card_values(other)))


def authorization_of(values: Mapping[str, Any]) -> Authorization:
    """Return the legal basis in the values of a card as a snapshot keeps them."""
    kind, date = values["authorization_type"], values["consent_date"]
    return Authorization(
        AuthorizationType(kind) if kind else None,
        values["authorization_other"],
        dt.date.fromisoformat(date) if date else None,
        values["consent_purpose"],
    )


def source_of(values: Mapping[str, Any]) -> Source:
    """Return the source in the values of a card as a snapshot keeps them."""
    kind = values["source_type"]
    return Source(SourceType(kind) if kind else None, values["source_other"])


def rows_of_people() -> list[tuple[type[Model], str]]:
    """Return every model that hangs on a person by a foreign key, and the name of the key; the card is no such model.

    What is added later to the product moves with its person without being named here.
    """
    relations = [relation for relation in Contact._meta.related_objects if relation.one_to_many]
    return [(relation.related_model, relation.field.name) for relation in relations]


def _both(survivor_id: int, other_id: int, actor: Actor, versions: tuple[int, int] | None) -> tuple[Contact, Contact]:
    if survivor_id == other_id:
        raise Invalid({"other": [_("A record cannot be merged into itself.")]})
    lock_people(Contact.objects.filter(pk__in=[survivor_id, other_id]))
    people = Contact.objects.visible_to(actor).select_related("card").in_bulk([survivor_id, other_id])
    if survivor_id not in people:
        raise Missing
    if other_id not in people:
        raise Invalid({"other": [_("There is nobody with this number.")]})
    for number, version in zip((survivor_id, other_id), versions or (), strict=False):
        services.check_version(number, version)
    return people[survivor_id], people[other_id]


def _share_the_no(survivor: Contact, other: Contact, actor: Actor) -> None:
    """Opt out whichever of the two is not, when the other is, with its address."""
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
    services.authorise(people, merged_authorization(survivor.card, other.card), actor=actor)
    if survivor.card.source_type is None:
        services.set_source(people, source_of(_card_values(other.card)), actor=actor)


def _move(from_id: int, to_id: int) -> dict[str, list[int]]:
    """Move all rows of one person to another; returns which, by the name of their model."""
    moved = {}
    for model, key in rows_of_people():
        rows = model._base_manager.filter(**{key: from_id})
        if ids := list(rows.values_list("pk", flat=True)):
            moved[model._meta.label] = ids
            rows.update(**{key: to_id})
    return moved


def _fresh(contact_id: int) -> Contact:
    return Contact.objects.select_related("card").get(pk=contact_id)


def _snapshot(person: Contact) -> dict[str, Any]:
    details = {name: getattr(person, name) for name in DETAILS}
    created_at = person.created_at.isoformat()
    return {"details": details, "owner": person.owner_id, "created_at": created_at, "card": _card(person)}


def _card(person: Contact) -> dict[str, Any]:
    return _card_values(person.card)


def _card_values(card: ComplianceCard) -> dict[str, Any]:
    columns = (*services.AUTHORIZATION_COLUMNS, *services.SOURCE_COLUMNS)
    values = {column.name: getattr(card, column.name) for column in columns}
    date = values["consent_date"]
    return values | {
        "consent_date": date.isoformat() if date else None,
        **{name: moment.isoformat() if (moment := getattr(card, name)) else None for name in CLOCKS},
        "unsubscribed": card.unsubscribed,
        "version": card.version,
    }
