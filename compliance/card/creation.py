"""The one way a person comes in, whatever the door: contact, card, event and a look at the suppressions."""

from dataclasses import dataclass, replace

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from compliance.card import staging
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.source_registry import SourceType
from compliance.card.staging import CARD_COLUMNS, NewPerson
from compliance.models import Suppression
from compliance.suppression import erased, lookalikes
from contacts.events import history
from contacts.models import Contact
from contacts.people.addresses import newest_key
from contacts.people.details import clean, identity_errors
from contacts.people.field_registry import DETAILS, SORTED
from contacts.people.rules import normalise_address
from salesconnect.lib.actor import Actor
from salesconnect.lib.database import table_sizes
from salesconnect.lib.database.sql import fill, statement
from salesconnect.lib.database.transactions import act
from salesconnect.lib.door_registry import DOORS
from salesconnect.lib.errors import Conflict, Invalid

# 1. Hold the addresses, so that nobody suppresses one before its card is there to be found. 2. Number the rows that are
# to be created. 3. Insert those whose address nobody has; ON CONFLICT decides, so two doors at once cannot both create.
# 4. Take out again who asked to be erased: a look of its own, for the insertion may have waited for that very erasure.
# 5. Re-key a suppression that an older hash key wrote, and copy one that was stored while the case of domains was
# folded. 6. Cards, unsubscribed where the address is suppressed or the row says so, and
# marked where it looks like one that is. 7. Events.
HOLD = """
    SELECT compliance_hold_addresses(ARRAY(
        SELECT unnest(address_hashes || skeleton_hashes) FROM incoming WHERE NOT taken))
"""
NUMBER = """
    UPDATE incoming SET contact_id = nextval((SELECT pg_get_serial_sequence('contacts_contact', 'id')::regclass))
    WHERE contact_id IS NULL AND NOT taken
"""
INSERT_CONTACTS = statement(
    __file__, "create_contacts", details=", ".join(DETAILS), sort_keys=", ".join(SORTED.values())
)
REFUSE_ERASED = """
    WITH erased AS (
        DELETE FROM contacts_contact WHERE id = ANY(ARRAY(
            SELECT contact_id FROM incoming CROSS JOIN unnest(address_hashes) AS held (hash)
            CROSS JOIN LATERAL (
                SELECT until FROM compliance_erasedaddress WHERE address_hash = held.hash OFFSET 0
            ) e
            WHERE NOT taken AND e.until > now() AND EXISTS (SELECT FROM compliance_erasedaddress)
        )) RETURNING id
    )
    UPDATE incoming SET taken = true WHERE contact_id = ANY(ARRAY(SELECT id FROM erased))
"""
# Each is looked up by itself, never joined: statistics may take a table for empty. What was found is an object of the
# newest hashes by the older ones.
REKEY = """
    WITH renewed AS MATERIALIZED (
        SELECT jsonb_object_agg(held.address_hash, i.address_hash) AS hashes
        FROM incoming i CROSS JOIN LATERAL (
            SELECT found.address_hash FROM unnest(i.address_hashes[2:]) AS former (hash) CROSS JOIN LATERAL (
                SELECT address_hash, source FROM compliance_suppression WHERE address_hash = former.hash OFFSET 0
            ) found ORDER BY found.source = 'bounce' LIMIT 1
        ) held
        WHERE NOT i.taken AND (
            SELECT true FROM compliance_suppression WHERE address_hash = i.address_hash LIMIT 1
        ) IS NULL
    )
    UPDATE compliance_suppression SET hash_key = %(hash_key)s,
        address_hash = ((SELECT hashes FROM renewed) ->> address_hash::text)::uuid
    WHERE address_hash = ANY(ARRAY(SELECT jsonb_object_keys(hashes)::uuid FROM renewed))
"""
# What is known of what looks like the address moves to the newest key too; see `lookalikes.to_newest_key`.
REKEY_SKELETONS = """
    WITH renewed AS MATERIALIZED (
        SELECT jsonb_object_agg(former.hash, i.skeleton_hashes[1]) AS hashes
        FROM incoming i CROSS JOIN unnest(i.skeleton_hashes[2:]) AS former (hash) WHERE NOT i.taken
    )
    UPDATE {table} SET skeleton_hash = ((SELECT hashes FROM renewed) ->> skeleton_hash::text)::uuid
    WHERE skeleton_hash = ANY(ARRAY(SELECT jsonb_object_keys(hashes)::uuid FROM renewed))
"""
COPY_FOLDED_SUPPRESSIONS = """
    INSERT INTO compliance_suppression (address_hash, hash_key, reason, source, since, said_at)
    SELECT DISTINCT ON (i.address_hash) i.address_hash, %(hash_key)s, s.reason, s.source, s.since, s.said_at
    FROM incoming i CROSS JOIN LATERAL unnest(i.folded_hashes) AS former (hash)
    JOIN compliance_suppression s ON s.address_hash = former.hash AND s.folded
    WHERE NOT i.taken ORDER BY i.address_hash, s.since ON CONFLICT (address_hash) DO NOTHING
"""
SUPPRESS = """
    INSERT INTO compliance_suppression (address_hash, hash_key, reason, source)
    SELECT address_hash, %(hash_key)s, opt_out_reason, %(opt_out_source)s FROM incoming
    WHERE NOT taken AND opted_out AND address_hash IS NOT NULL ORDER BY address_hash
    ON CONFLICT (address_hash) DO NOTHING
"""
INSERT_CARDS = statement(__file__, "create_cards", columns=", ".join(CARD_COLUMNS))
INSERT_EVENTS = statement(__file__, "create_events")
INSERT_LOOKALIKE_EVENTS = statement(__file__, "create_likeness_events")
RESERVE_AND_INSERT = (HOLD, NUMBER, INSERT_CONTACTS)
REKEY_STATEMENTS = (REKEY, *(fill(REKEY_SKELETONS, table=table) for table in lookalikes.TABLES))
INSERT_CARDS_AND_EVENTS = (COPY_FOLDED_SUPPRESSIONS, SUPPRESS, INSERT_CARDS, INSERT_EVENTS, INSERT_LOOKALIKE_EVENTS)


@dataclass(frozen=True, slots=True)
class CreatedCounts:
    """How many came in, and how many of them with an address that is suppressed."""

    created: int
    suppressed: int


def create_staged(
    *,
    actor: Actor,
    owner_id: int | None,
    file_name: str | None = None,
    batch_id: int | None = None,
    erased_before: bool = False,
) -> CreatedCounts:
    """Create a person for each row of `incoming` that is not marked `taken`; runs inside the caller's transaction.

    A row whose address somebody holds, also one created meanwhile, is left out and marked `taken`; so is one whose
    person asked to be erased. `erased_before` says in the history that somebody took such a person in knowingly.
    """
    actor.require("create_people")
    values = {
        "owner": owner_id,
        "hash_key": newest_key(),
        "opt_out_source": Suppression.Source.IMPORT if DOORS[actor.door].reads_files else Suppression.Source.MANUAL,
        "action": history.CREATED,
        "today": timezone.localdate(),
        "file": file_name,
        "authorizations": AuthorizationType.slugs(),
        "sources": SourceType.slugs(),
        "erased_before": erased_before or None,
        **history.event_values(actor, batch_id),
    }
    with connection.cursor() as cursor:
        for statement in RESERVE_AND_INSERT:
            cursor.execute(statement, values)
            if statement is NUMBER:
                many = cursor.rowcount >= table_sizes.MANY
        if many:
            table_sizes.analyze_if_unknown(
                "contacts_contact"
            )  # the cards are counted by a trigger, which needs them first
        for statement in (
            REFUSE_ERASED,
            *(REKEY_STATEMENTS if len(settings.SUPPRESSION_KEYS) > 1 else ()),
            *INSERT_CARDS_AND_EVENTS,
        ):
            cursor.execute(statement, values)
        cursor.execute(
            "SELECT count(*), count(*) FILTER (WHERE card.unsubscribed) FROM incoming i"
            " JOIN compliance_compliancecard card USING (contact_id) WHERE NOT i.taken"
        )
        return CreatedCounts(*cursor.fetchone())


@act
def create_person(
    person: NewPerson, *, actor: Actor, owner_id: int | None = None, although_erased: bool = False
) -> Contact:
    """Create one person for a form or the API.

    Raises `Invalid` for broken rules, and `Conflict`: `address_taken`, with `existing_id`, when somebody already has
    the address, for two rows for one address could contradict each other; `erased` when the person asked to be erased,
    unless a user has decided `although_erased`: then the address is remembered as erased no longer.
    """
    actor.require("create_people")
    details, errors = clean(person.details)
    errors |= identity_errors(details) | person.authorization.errors(timezone.localdate()) | person.source.errors()
    if errors:
        raise Invalid(errors)
    again = although_erased and erased.forget(normalise_address(details.get("email", "")))
    staging.stage([replace(person, details=details)])
    create_staged(actor=actor, owner_id=owner_id, erased_before=again)
    with connection.cursor() as cursor:
        cursor.execute("SELECT contact_id, taken, email_key FROM incoming")
        contact_id, taken, email_key = cursor.fetchone()
    if taken:
        erased.refuse(email_key)
        raise address_taken(email_key)
    return Contact.objects.select_related("card", "owner").get(pk=contact_id)


def address_taken(email_key: str) -> Conflict:
    """Return the refusal of an address that another person already has, with that person's id."""
    existing = Contact.objects.filter(email_key=email_key).values_list("pk", flat=True).first()
    return Conflict("address_taken", _("Somebody with this email address is already here."), existing_id=existing)
