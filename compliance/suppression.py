"""The "no" of an address: it takes effect at once, belongs to the address, and outlives the person's row."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from compliance import services
from compliance.models import Suppression
from contacts import history
from contacts.addresses import address_hashes, newest_key
from contacts.models import Contact
from contacts.queries import ContactQuerySet, array
from salesconnect.lib.actor import Actor
from salesconnect.lib.kick import kick
from salesconnect.lib.outcome import Outcome

ADDRESS_CHANGED = "address_changed"

# A "no" that is said again is no second entry in the history, but newer than any consent given before it. What
# machines and files repeat is nobody's word.
REPEATED = (Suppression.Source.BOUNCE, Suppression.Source.SALESFORCE_SYNC, Suppression.Source.IMPORT)

# What is found again stays as it is, but a bounce, which opts out here alone, gives way to anybody's "no".
FOUND_AGAIN = """
    ON CONFLICT (address_hash) DO UPDATE SET
        said_at = CASE WHEN %(said)s THEN statement_timestamp() ELSE compliance_suppression.said_at END,
        (reason, source) = ROW(
            CASE WHEN compliance_suppression.source = 'bounce' THEN EXCLUDED.reason
                 ELSE compliance_suppression.reason END,
            CASE WHEN compliance_suppression.source = 'bounce' THEN EXCLUDED.source
                 ELSE compliance_suppression.source END)
    WHERE %(said)s OR compliance_suppression.source = 'bounce' AND EXCLUDED.source <> 'bounce'
"""

# People who are not unsubscribed yet become so, and each gets an event with the source and the reason. Who is already
# gets a new version when the "no" is said again, so that a form opened before is stale.
UNSUBSCRIBE = f"""
    WITH suppressed AS (
        INSERT INTO compliance_suppression (address_hash, hash_key, reason, source)
        SELECT address_hash, address_hash_key, %(reason)s, %(source)s FROM contacts_contact
        WHERE id = ANY(%(ids)s) AND address_hash IS NOT NULL ORDER BY address_hash
        {FOUND_AGAIN}
    ), repeated AS (
        UPDATE compliance_compliancecard SET version = version + 1
        WHERE contact_id = ANY(%(ids)s) AND unsubscribed AND %(said)s
    ), changed AS (
        UPDATE compliance_compliancecard SET unsubscribed = true, version = version + 1, updated_at = now()
        WHERE contact_id = ANY(%(ids)s) AND NOT unsubscribed RETURNING contact_id
    ), logged AS (
        INSERT INTO contacts_contactevent ({history.COLUMNS})
        SELECT contact_id, %(batch_id)s, %(actor_id)s, %(action)s, %(door)s, %(actor_name)s,
               jsonb_build_object('source', jsonb_build_array(NULL, %(source)s::text),
                                  'reason', jsonb_build_array(NULL, %(reason)s::text))
        FROM changed ORDER BY contact_id
    )
    SELECT count(*) FROM changed
"""
HOLDERS = "SELECT id FROM contacts_contact WHERE address_hash = %s"
# The row is new when no transaction has touched it before; one that a machine finds again is not returned at all.
SUPPRESS = f"""
    INSERT INTO compliance_suppression (address_hash, hash_key, reason, source)
    VALUES (%(address_hash)s, %(hash_key)s, %(reason)s, %(source)s)
    {FOUND_AGAIN}
    RETURNING xmax = 0
"""
SUPPRESS_MANY = f"""
    INSERT INTO compliance_suppression (address_hash, hash_key, reason, source)
    SELECT address_hash, %(hash_key)s, %(reason)s, %(source)s FROM unnest(%(hashes)s::uuid[]) AS known (address_hash)
    ORDER BY address_hash
    {FOUND_AGAIN}
"""


@transaction.atomic(savepoint=False)
def unsubscribe(
    contacts: ContactQuerySet, *, actor: Actor, source: str, reason: str = "", batch_id: int | None = None
) -> Outcome:
    """Opt all `contacts` out of mail, with their addresses (GDPR art. 21(3)); who already is counts as unchanged.

    A person without an address is marked too, so that an address given later is suppressed from its first moment.
    """
    actor.require("unsubscribe_people")
    return _unsubscribe(services.lock(contacts), actor=actor, source=source, reason=reason, batch_id=batch_id)


def _unsubscribe(ids: list[int], *, actor: Actor, source: str, reason: str, batch_id: int | None = None) -> Outcome:
    """Opt the people with these ids out, whose cards are locked."""
    values: dict[str, Any] = {
        "ids": array(ids),
        "source": source,
        "reason": reason,
        "action": history.UNSUBSCRIBED,
        "said": source not in REPEATED,
    }
    with connection.cursor() as cursor:
        cursor.execute(UNSUBSCRIBE, values | history.event_values(actor, batch_id))
        changed = cursor.fetchone()[0]
    if changed:
        kick("unsubscribes.push_salesforce")
    return Outcome(changed=changed, unchanged=len(ids) - changed)


@transaction.atomic(savepoint=False)
def unsubscribe_address(address_hash: UUID, hash_key: str, *, actor: Actor, source: str, reason: str = "") -> Outcome:
    """Opt an address out that is known only by its hash, made with the key named `hash_key`, and whoever has it.

    `changed` is 1 when the address could be mailed before, also when nobody here has it any more.
    """
    actor.require("unsubscribe_people")
    people = _unsubscribe(services.lock_found(HOLDERS, [address_hash]), actor=actor, source=source, reason=reason)
    values: dict[str, Any] = {"address_hash": address_hash, "hash_key": hash_key, "reason": reason, "source": source}
    with connection.cursor() as cursor:
        cursor.execute(SUPPRESS, values | {"said": source not in REPEATED})
        new = cursor.fetchone() == (True,)
    return Outcome(changed=1) if people.changed or new else Outcome(unchanged=1)


def suppress_hashes(hashes: Sequence[UUID], *, source: str, reason: str = "") -> None:
    """Suppress addresses known by their hashes under the newest key; whoever has them is unsubscribed separately."""
    values: dict[str, Any] = {
        "hashes": [str(address_hash) for address_hash in hashes],
        "hash_key": newest_key(),
        "reason": reason,
        "source": source,
        "said": source not in REPEATED,
    }
    with connection.cursor() as cursor:
        cursor.execute(SUPPRESS_MANY, values)


def of_address(email_key: str) -> Suppression | None:
    """Return the suppression of a normalised address, looked up under every hash key; None when it may be mailed."""
    if not email_key:
        return None
    return Suppression.objects.filter(address_hash__in=address_hashes(email_key)).order_by("since").first()


def suppress_address(contact: Contact, *, reason: str) -> None:
    """Store the "no" of an unsubscribed person for the address that the person has now."""
    if contact.address_hash:
        Suppression.objects.get_or_create(
            address_hash=contact.address_hash,
            defaults={
                "hash_key": contact.address_hash_key,
                "reason": reason,
                "source": Suppression.Source.MANUAL,
            },
        )
