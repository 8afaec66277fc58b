"""The "no" of an address: it takes effect at once, belongs to the address, and outlives the person's row."""

from collections.abc import Callable, Sequence
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
# gets a new version when the "no" is said again, so that a form opened before is stale. Their addresses are suppressed,
# and one that perhaps nobody has any more; it is new when no transaction has touched its row before.
UNSUBSCRIBE = f"""
    WITH suppressed AS (
        INSERT INTO compliance_suppression (address_hash, hash_key, reason, source)
        SELECT DISTINCT ON (address_hash) address_hash, hash_key, %(reason)s, %(source)s FROM (
            SELECT address_hash, address_hash_key FROM contacts_contact WHERE id = ANY(%(ids)s)
            UNION ALL SELECT %(address_hash)s::uuid, %(hash_key)s
        ) held (address_hash, hash_key) WHERE address_hash IS NOT NULL ORDER BY address_hash
        {FOUND_AGAIN}
        RETURNING address_hash, xmax = 0 AS new
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
    SELECT (SELECT count(*) FROM changed),
           EXISTS (SELECT FROM suppressed WHERE new AND address_hash = %(address_hash)s)
"""
HOLDERS = "SELECT id FROM contacts_contact WHERE address_hash = %s"
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
    ids = services.lock(contacts)
    changed, _new = _unsubscribe(ids, actor=actor, source=source, reason=reason, batch_id=batch_id)
    return Outcome(changed=changed, unchanged=len(ids) - changed)


@transaction.atomic(savepoint=False)
def unsubscribe_address(
    address_hash: UUID,
    hash_key: str,
    *,
    actor: Actor,
    source: str,
    reason: str = "",
    others: Callable[[list[int]], list[int]] | None = None,
) -> Outcome:
    """Opt an address out that is known only by its hash, made with the key named `hash_key`, and whoever has it.

    `others` takes those who have it, locks more people whom the "no" is of, and returns their ids. `changed` is 1 when
    the address could be mailed before, also when nobody here has it any more, or one of the people.
    """
    actor.require("unsubscribe_people")
    # One after the other: whoever had the address may have been merged into another while we waited for the lock.
    ids = services.lock_found(HOLDERS, [address_hash])
    if others:
        ids += others(ids)
    address = (address_hash, hash_key)
    changed, new = _unsubscribe(ids, actor=actor, source=source, reason=reason, address=address)
    return Outcome(changed=1) if changed or new else Outcome(unchanged=1)


def _unsubscribe(
    ids: list[int],
    *,
    actor: Actor,
    source: str,
    reason: str,
    batch_id: int | None = None,
    address: tuple[UUID | None, str] = (None, ""),
) -> tuple[int, bool]:
    """Opt the people with these ids out, whose cards are locked, and an address.

    Returns how many of the people could be mailed before, and whether the address was new.
    """
    values: dict[str, Any] = {
        "ids": array(ids),
        "address_hash": address[0],
        "hash_key": address[1],
        "source": source,
        "reason": reason,
        "action": history.UNSUBSCRIBED,
        "said": source not in REPEATED,
    }
    with connection.cursor() as cursor:
        cursor.execute(UNSUBSCRIBE, values | history.event_values(actor, batch_id))
        changed, new = cursor.fetchone()
    if changed:
        kick("unsubscribes.push_salesforce")
    return changed, new


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
