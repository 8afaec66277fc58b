"""Addresses that look like a suppressed one: mail is held, and nobody is opted out, until a user decides.

Triggers keep the mark on the card, whatever the door (`compliance/sql/compliance_see_lookalikes.sql`, its callers).
A person is marked while a suppression of another address has the same skeleton (`contacts.people.skeletons`). Three
things end it: the person unsubscribes too, the suppression goes, or a user says that the address is another person's.
A bounce marks nobody, since nobody said it.

A suppression has a skeleton if the address was known when it was stored: from the person who has it, an unsubscribe
link, the ledger, or a read of the CRM. One that is known by its hash alone gets its skeleton when somebody comes in
with that very address; until then its look-alikes are not marked. Such are links and ledger lines of version 0.1 whose
address nobody has, and records whose address was removed in the CRM.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _
from psycopg2.extras import Json

from compliance.models import ComplianceCard
from compliance.suppression.address_locks import lock_people
from contacts.events import history
from contacts.models import Contact, ContactEvent
from contacts.people.skeletons import skeleton_hashes
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.sql import fill, statement
from salesconnect.lib.database.transactions import act
from salesconnect.lib.errors import Conflict, Missing
from salesconnect.lib.outcome import Outcome

TELL_APART = statement(__file__, "tell_apart")
# All that has one skeleton moves to the new key at once, for it is compared by its hash.
TO_NEWEST = """UPDATE {table} SET skeleton_hash = (%(moves)s::jsonb ->> skeleton_hash::text)::uuid
       WHERE skeleton_hash = ANY(%(old)s::uuid[])"""
TABLES = ("compliance_suppression", "contacts_contact")


@act
def tell_apart(contact_id: int, *, actor: Actor) -> Outcome:
    """Say that the address of one person is not that of who said no, however much it looks like it.

    It holds for the suppressions that there are: a later "no" asks again, and so does another address. Raises
    `Forbidden`, `Missing`, `Restricted`, and `Conflict` (`looks_like_nobody`) when there is nothing to decide.
    """
    actor.require("edit_people")
    people = Contact.objects.visible_to(actor).filter(pk=contact_id)
    if not lock_people(people):
        raise Missing
    with connection.cursor() as cursor:
        cursor.execute(TELL_APART, {"id": contact_id})
        if not cursor.rowcount:
            raise Conflict("looks_like_nobody", _("The address of this person looks like none that said no."))
    history.record([contact_id], history.TOLD_APART, actor=actor)
    return Outcome(changed=1)


def refresh_marks(ids: Iterable[int]) -> None:
    """Recompute the look-alike marks of people, with an event for each that changes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT compliance_see_lookalikes(%s::bigint[], true)", [list(ids)])


def record_mark(contact_id: int, *, actor: Actor) -> None:
    """Say in the history of a person who comes back whether the address looks like one that said no, if it differs."""
    own = ContactEvent.objects.filter(
        contact_id=contact_id, action__in=(*history.LOOKALIKE_ACTIONS, history.UNSUBSCRIBED)
    ).order_by("-at", "-id")
    looked = own.values_list("action", flat=True).first() == history.LOOKED_ALIKE
    if looked != (looks := ComplianceCard.objects.get(pk=contact_id).looks_opted_out):
        history.record([contact_id], history.LOOKED_ALIKE if looks else history.LOOKED_APART, actor=actor)


def to_newest_key(email_keys: Iterable[str]) -> None:
    """Move what is known of addresses that look like these to the newest hash key, whoever has them.

    Inside the transaction in which one of them comes in, is suppressed or re-hashed, and before that: what came in
    under an older key is found only so.
    """
    if len(settings.SUPPRESSION_KEYS) == 1:
        return
    move({old: new for key in email_keys for new, *olds in [skeleton_hashes(key)] for old in olds})


def move(hashes: Mapping[UUID, UUID]) -> None:
    """Move skeletons from old hashes to new ones; inside the transaction that holds the addresses."""
    moves = {str(old): str(new) for old, new in hashes.items() if old != new}
    if not moves:
        return
    values: dict[str, Any] = {"old": list(moves), "moves": Json(moves)}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(fill(TO_NEWEST, table=table), values)
