"""Undoes a merge: the absorbed record is restored, but opt-outs of either record are kept."""

import datetime as dt
from typing import Any

from django.apps import apps
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from compliance.card import card_changes, editing
from compliance.card.creation import address_taken
from compliance.card.rules import Authorization, Source
from compliance.card.staging import address_columns
from compliance.models import ComplianceCard
from compliance.suppression import erased, lookalikes, suppression
from compliance.suppression.address_locks import lock_people
from contacts.events import history
from contacts.models import Contact, Merge, User
from contacts.people.field_registry import SORTED
from contacts.people.rules import normalise_address, sort_key
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.transactions import act
from salesconnect.lib.errors import Conflict, Missing
from salesconnect.lib.outcome import Outcome
from unsubscribes.merging.merge import (
    CLOCKS,
    Changes,
    basis_of,
    rows_of_people,
    set_clocks,
)

UNDO_DAYS = 30


@act
def unmerge(merge_id: int, *, actor: Actor) -> Outcome:
    """Undo a merge within 30 days. Values of the survivor that were changed since stay as they are.

    No opt-out is lifted: the survivor stays unsubscribed, and the absorbed record is restored as unsubscribed if it
    was, if the survivor is now, or if its address is suppressed. Raises `Forbidden`, `Missing`, `Restricted`, and
    `Conflict` (`undone_before`, `too_old`, `address_taken`, `erased`).
    """
    actor.require("merge_people")
    record = _locked(merge_id)
    survivor = Contact.objects.visible_to(actor).select_related("card").filter(pk=record.survivor_id).first()
    if survivor is None:
        raise Missing
    clocks = _give_back(survivor, record, actor)
    said_no = _bring_back(record, unsubscribed=survivor.card.unsubscribed)
    _move_back(record)
    Merge.objects.filter(pk=record.pk).update(undone_at=Now(), absorbed={}, changes={}, moved={})
    # The one is for readers; the other is a code that outlasts an erasure, as it stands with who is created.
    back: dict[str, Any] = {"unsubscribed": (None, said_no)} | ({"suppressed": True} if said_no else {})
    history.record([record.absorbed_id], history.UNMERGED, actor=actor, changes=back)
    lookalikes.record_mark(record.absorbed_id, actor=actor)
    history.record([record.survivor_id], history.UNMERGED, actor=actor, changes=clocks)
    return Outcome(changed=1)


def undoable(contact_id: int) -> list[Merge]:
    """Return the merges into one person that can still be undone, newest first."""
    merges = Merge.objects.filter(survivor_id=contact_id, undone_at=None, at__gte=_limit())
    return list(merges.order_by("-pk"))


def forget_old() -> int:
    """Delete the snapshots of merges that are too old to be undone; returns how many."""
    old = Merge.objects.filter(at__lt=_limit()).exclude(absorbed={})
    return old.update(absorbed={}, changes={}, moved={})


def _limit() -> dt.datetime:
    return timezone.now() - dt.timedelta(days=UNDO_DAYS)


def _locked(merge_id: int) -> Merge:
    """Lock a merge that can be undone, in the global order: addresses, then the card, then the merge."""
    found = Merge.objects.filter(pk=merge_id).first()
    if found is None:
        raise Missing
    given_back = [address for address in found.changes.get("details", {}).get("email", []) if address]
    brought_back = found.absorbed.get("details", {}).get("email", "")
    keys = [normalise_address(address) for address in (*given_back, brought_back) if address]
    lock_people(Contact.objects.filter(pk=found.survivor_id), wanted=keys)
    return _undoable(merge_id)


def _undoable(merge_id: int) -> Merge:
    record = Merge.objects.select_for_update().filter(pk=merge_id).first()
    if record is None:
        raise Missing
    if record.undone_at:
        raise Conflict("undone_before", _("This merge has been undone already."))
    if record.at < _limit() or not record.absorbed:
        raise Conflict("too_old", _("A merge can be undone for %(days)d days.") % {"days": UNDO_DAYS})
    return record


def _give_back(survivor: Contact, record: Merge, actor: Actor) -> Changes:
    """Restore the values of the survivor that nobody changed since the merge; return the changes of the dates."""
    details = record.changes["details"]
    values = {name: was for name, (was, became) in details.items() if getattr(survivor, name) == became}
    if values:
        editing.edit(survivor.pk, values, actor=actor)
    was, became = record.changes["card"]
    people = Contact.objects.filter(pk=survivor.pk)
    card = survivor.card
    clocks: Changes = {}
    if basis_of(card) == {name: became[name] for name in basis_of(card)}:
        card_changes.authorise(people, Authorization.from_values(was), actor=actor)
        clocks = set_clocks(survivor.pk, was)
    if (card.source_type, card.source_other) == (became["source_type"], became["source_other"]):
        card_changes.set_source(people, Source.from_values(was), actor=actor)
    return clocks


def _bring_back(record: Merge, *, unsubscribed: bool) -> bool:
    """Create the absorbed person again under the same id; returns whether it is opted out."""
    details, card = record.absorbed["details"], record.absorbed["card"]
    address = address_columns(details["email"])
    if address["email_key"] and Contact.objects.filter(email_key=address["email_key"]).exists():
        raise address_taken(str(address["email_key"]))
    erased.refuse(str(address["email_key"]))
    lookalikes.to_newest_key(filter(None, [str(address["email_key"])]))
    keys = {key: sort_key(details[name]) for name, key in SORTED.items()}
    person = Contact.objects.create(
        pk=record.absorbed_id,
        **details,
        **address,
        **keys,
        owner=User.objects.filter(pk=record.absorbed["owner"]).first(),
        created_at=dt.datetime.fromisoformat(record.absorbed["created_at"]),
    )
    said_no = unsubscribed or card["unsubscribed"] or suppression.of_address(person.email_key) is not None
    ComplianceCard.objects.create(
        contact=person,
        **_basis(card),
        unsubscribed=said_no,
        **{name: card.get(name) for name in CLOCKS},
        # Higher than any version that a client can have seen, so that its edits are refused as stale.
        version=card["version"] + 2,
        sort_last=keys["sort_last"],
        sort_first=keys["sort_first"],
    )
    if said_no:
        suppression.suppress_address(person, reason=history.MERGED)
    return said_no


def _basis(card: dict[str, Any]) -> dict[str, Any]:
    columns = (*card_changes.AUTHORIZATION_COLUMNS, *card_changes.SOURCE_COLUMNS)
    return {column.name: card[column.name] for column in columns}


def _move_back(record: Merge) -> None:
    keys = {model._meta.label: key for model, key in rows_of_people()}
    for label, ids in record.moved.items():
        rows = apps.get_model(label)._base_manager.filter(pk__in=ids, **{keys[label]: record.survivor_id})
        rows.update(**{keys[label]: record.absorbed_id})
