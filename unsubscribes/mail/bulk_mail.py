"""The bulk change *mail*: one message to each of the selected people."""

from dataclasses import asdict
from typing import Any

from contacts.jobs import batches
from contacts.models import Batch
from contacts.people.queries import ContactQuerySet
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.transactions import act
from salesconnect.lib.kick import kick
from unsubscribes.mail.compose import Draft


@act
def order_mail(
    contacts: ContactQuerySet,
    draft: Draft,
    *,
    actor: Actor,
    selection: dict[str, Any] | None = None,
    missing: int = 0,
    approved: int | None = None,
) -> Batch:
    """Write to all `contacts`: up to 5,000 in this transaction, more by a worker.

    Raises as `services.write`, and `Conflict` (`moved`) when another number than `approved` is meant by now.
    """
    actor.require("mail_people")
    draft.check()
    batch = batches.order(
        contacts,
        "mail",
        actor=actor,
        params=asdict(draft),
        selection=selection,
        missing=missing,
        approved=approved,
    )
    kick("unsubscribes.sweep_mail")
    return batch
