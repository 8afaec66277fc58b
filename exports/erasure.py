"""Deletion: the person goes, and what remains is only what keeps the person from being contacted again."""

from collections import Counter

from django.db import connection, transaction

from compliance import services
from contacts import batches, history
from contacts.models import Batch
from contacts.queries import ContactQuerySet
from salesconnect.lib.actor import Actor
from salesconnect.lib.outcome import Outcome
from unsubscribes import records

# The history keeps when, who, through which door and which kind of act, with codes and dates; readable values go.
SCRUB = """
    UPDATE contacts_contactevent SET changes = contacts_scrubbed(changes)
    WHERE contact_id = ANY(%(numbers)s) AND changes <> contacts_scrubbed(changes)
"""
# Copies of the person's values: rows that an import did not take, and answers kept for a repeated request.
REJECTS = """
    DELETE FROM compliance_importreject WHERE EXISTS (
        SELECT FROM jsonb_array_elements_text(cells) cell WHERE lower(btrim(cell)) IN (
            SELECT email_key FROM contacts_contact WHERE id = ANY(%(ids)s) AND email_key <> ''
        )
    )
"""
REPLIES = """
    UPDATE contacts_idempotentreply SET body = jsonb_build_object('id', body->'id')
    WHERE (body ? 'first_name' AND (body->>'id')::bigint = ANY(%(ids)s))
        OR (body ? 'contact' AND (body->>'contact')::bigint = ANY(%(ids)s))
"""
DELETE = (
    "DELETE FROM contacts_merge WHERE survivor_id = ANY(%(numbers)s) OR absorbed_id = ANY(%(ids)s)",
    "DELETE FROM unsubscribes_message WHERE contact_id = ANY(%(ids)s)",
    "DELETE FROM compliance_reviewnote WHERE contact_id = ANY(%(ids)s)",
    "DELETE FROM compliance_compliancecard WHERE contact_id = ANY(%(ids)s)",
    "DELETE FROM contacts_contact WHERE id = ANY(%(ids)s)",
)


@transaction.atomic
def delete(contacts: ContactQuerySet, *, actor: Actor, batch_id: int | None = None, requested: bool = False) -> Outcome:
    """Delete all `contacts` (GDPR art. 17): rows and readable history go, suppressions of their addresses stay.

    A suppression stands afterwards only where one stood before: its keyed hash, date and reason. Restricted people are
    refused, for they may need the data (art. 18(1)); unless they have `requested` it themselves.
    """
    actor.require("delete_people")
    ids, refused = (services.lock(contacts), Counter()) if requested else services.lock_unrestricted(contacts)
    # Also the records merged into a person lose their readable values, so each says by which act.
    numbers = history.numbers_of(ids)
    history.record(numbers, history.DELETED, actor=actor, batch_id=batch_id)
    records.forget(ids)
    values = {"ids": ids, "numbers": numbers}
    with connection.cursor() as cursor:
        for statement in (SCRUB, REJECTS, REPLIES, *DELETE):
            cursor.execute(statement, values)
    return Outcome(changed=len(ids), refused=refused)


def preview(contacts: ContactQuerySet) -> dict[str, int]:
    """Count, without changing anything, how many people a deletion would remove."""
    total, restricted = contacts.count(), contacts.filter(card__restricted_at__isnull=False).count()
    return {"total": total, "change": total - restricted, "unchanged": 0, "restricted": restricted}


@batches.register("delete", "delete_people")
def delete_chunk(contacts: ContactQuerySet, batch: Batch, actor: Actor) -> Outcome:
    """Carry out one chunk of a bulk deletion."""
    return delete(contacts, actor=actor, batch_id=batch.pk)
