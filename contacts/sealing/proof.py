"""The proof of one event: what is needed to compute the root that its seal published, and nothing else."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from contacts.models import ContactEvent, Seal, SealedLeaf
from contacts.sealing import sealing, tree
from salesconnect.lib.actor import Actor
from salesconnect.lib.errors import Conflict, Missing

FORMAT = "salesconnect-proof/1"
SEALED_KEYS = frozenset(
    {"authorization_type", "consent_date", "source_type", "source", "line", "suppressed", "into", "merged"}
)
"""What of `changes` is sealed in the open, as in `leaves`: all that a proof can show once the values are erased."""

# What is open is closed at once, as far as that is a matter of a second.
MAX_SEALS = 5


def of_event(event_id: int, *, actor: Actor) -> dict[str, Any]:
    """Return the proof of an event as JSON holds it; an event that is not sealed yet is sealed at once.

    Raises `Missing`, and `Conflict` (`not_sealed`) where so much waits that the worker has to do it.
    """
    actor.require("view_people")
    # In a transaction the rows come from where they are written.
    with transaction.atomic():
        if not ContactEvent.objects.filter(id=event_id).exists():
            raise Missing
    if not SealedLeaf.objects.filter(pk=event_id).exists():
        sealing.seal_open(MAX_SEALS)
    with transaction.atomic():
        leaf = SealedLeaf.objects.filter(pk=event_id).first()
        event = ContactEvent.objects.filter(id=event_id).first()
        if leaf is None or event is None:
            raise Conflict("not_sealed", _("This event is not sealed yet. Try again in a minute."))
        return Prover().prove(event, leaf)


class Prover:
    """Makes the proofs of many events, and computes each seal's tree once where its events come together."""

    def __init__(self) -> None:
        self.seal: Seal | None = None
        self.tree: list[list[bytes]] = []

    def prove(self, event: ContactEvent, leaf: SealedLeaf) -> dict[str, Any]:
        if self.seal is None or self.seal.number != leaf.seal_number:
            self.seal = Seal.objects.get(pk=leaf.seal_number)
            leaves = SealedLeaf.objects.filter(seal_number=leaf.seal_number).order_by("position")
            self.tree = tree.levels([bytes(hashed) for hashed in leaves.values_list("hash", flat=True)])
        return _assemble(event, leaf, self.seal, tree.path(self.tree, leaf.position))


def _assemble(event: ContactEvent, leaf: SealedLeaf, seal: Seal, steps: list[bytes]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "event": _event(event, leaf),
        "path": {
            "seal": seal.number,
            "position": leaf.position,
            "events": seal.events,
            "hashes": [step.hex() for step in steps],
            "previous": bytes(seal.previous).hex(),
            "settled": seal.settled,
        },
        "root": bytes(seal.root).hex(),
        "sealed_at": tree.moment(seal.sealed_at),
        "notes": notes(bytes(seal.root).hex(), erased=leaf.salt is None),
    }


def notes(root: str, *, erased: bool) -> list[str]:
    """Return the page of plain instructions, in the reader's language."""
    lines = [
        _("This file proves that one event of the history is today as it was when it was sealed."),
        _("Take the program verify_proof.py, from an evidence pack or from the source of Sales Connect."),
        _("Get the root of the seal from somewhere that the keeper of the history cannot change."),
        _("That is your copy of the file of roots, a mail or message that you got, or a timestamp."),
        _("Then run: python -I verify_proof.py THIS_FILE --root %(root)s") % {"root": root},
        _("It needs Python and nothing else, no network either, and prints true or false."),
        _("“event” is what is proved; “path” leads from it to “root”; “salt” hides values from guessing."),
        _("Do not edit or reformat the file: all of it but these notes is covered."),
    ]
    if erased:
        lines.append(_("The event’s readable values were erased with the person; the commitment stands for them."))
    return lines


def _event(event: ContactEvent, leaf: SealedLeaf) -> dict[str, Any]:
    changes = event.changes
    if leaf.salt is None:
        changes = {name: value for name, value in changes.items() if name in SEALED_KEYS}
    return {
        "id": event.id,
        "at": tree.moment(event.at),
        "contact_id": event.contact_id,
        "batch_id": event.batch_id,
        "actor_id": event.actor_id,
        "action": event.action,
        "door": event.door,
        "actor_name": event.actor_name,
        "changes": changes,
        "salt": leaf.salt.hex if leaf.salt else None,
        "commitment": bytes(leaf.commitment).hex(),
    }
