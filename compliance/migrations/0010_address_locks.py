"""Locks of addresses, and the functions that suppress an address hold it before they look for who has it."""

from importlib import import_module

from django.db import migrations

earlier = import_module("compliance.migrations.0008_unsubscribe")

# A row stands for a lock only while it is being inserted; see `compliance.suppression.address_locks`. Nothing of it is ever
# committed, so it needs no journal, and what is left of the rows is cleaned up often.
LOCKS = """
CREATE UNLOGGED TABLE compliance_addresslock (address_hash uuid PRIMARY KEY)
    WITH (autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_scale_factor = 0);
CREATE FUNCTION compliance_hold_addresses(hashes uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO compliance_addresslock
    SELECT DISTINCT hash FROM unnest(hashes) AS given (hash) WHERE hash IS NOT NULL ORDER BY hash;
    DELETE FROM compliance_addresslock WHERE address_hash = ANY(hashes);
END $$;
"""
UNLOCKS = "DROP FUNCTION compliance_hold_addresses; DROP TABLE compliance_addresslock"

SUPPRESS = f"""
CREATE OR REPLACE FUNCTION compliance_suppress(
    hashes uuid[], the_key text, the_source text, the_reason text, is_said boolean
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM compliance_hold_addresses(hashes);
    {earlier.STORED.format(given=earlier.LISTED)};
END $$;
"""
# The address comes with its hash under every key, the newest first, which is the one that is stored. Who has it is
# looked up when it is held, not before.
HELD = """(
            SELECT address_hash, address_hash_key FROM contacts_contact WHERE id = ANY(people)
            UNION ALL SELECT the_hashes[1], the_key)"""
UNSUBSCRIBE = f"""
DROP FUNCTION compliance_unsubscribe;
CREATE FUNCTION compliance_unsubscribe(
    ids bigint[], the_hashes uuid[], the_key text, the_source text, the_reason text, is_said boolean,
    the_batch bigint, the_actor bigint, the_door text, the_actor_name text,
    OUT people bigint[], OUT changed bigint, OUT is_new boolean
) LANGUAGE plpgsql AS $$
BEGIN
    IF cardinality(the_hashes) > 0 THEN
        PERFORM compliance_hold_addresses(the_hashes);
        ids := ids || ARRAY(SELECT id FROM contacts_contact WHERE address_hash = ANY(the_hashes));
    END IF;
    people := ARRAY(
        SELECT contact_id FROM compliance_compliancecard WHERE contact_id = ANY(ids) ORDER BY contact_id FOR UPDATE
    );
    WITH suppressed AS (
{earlier.STORED.format(given=HELD)}
        RETURNING address_hash, held.xmax = 0 AS never_held
    ), said AS (
        UPDATE compliance_compliancecard card
        SET unsubscribed = true, version = card.version + 1,
            updated_at = CASE WHEN old.unsubscribed THEN card.updated_at ELSE now() END
        FROM compliance_compliancecard old
        WHERE card.contact_id = ANY(people) AND old.contact_id = card.contact_id AND (is_said OR NOT old.unsubscribed)
        RETURNING card.contact_id, old.unsubscribed AS already
    ), logged AS (
        INSERT INTO contacts_contactevent (contact_id, batch_id, actor_id, action, door, actor_name, changes)
        SELECT contact_id, the_batch, the_actor, 'unsubscribed', the_door, the_actor_name,
               jsonb_build_object('source', jsonb_build_array(NULL, the_source),
                                  'reason', jsonb_build_array(NULL, the_reason))
        FROM said WHERE NOT already ORDER BY contact_id
    )
    SELECT (SELECT count(*) FROM said WHERE NOT already),
           EXISTS (SELECT FROM suppressed WHERE never_held AND address_hash = the_hashes[1])
    INTO changed, is_new;
END $$;
"""
BEFORE = f"""
DROP FUNCTION compliance_unsubscribe;
{earlier.UNSUBSCRIBE}
{earlier.SUPPRESS.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")}
"""


class Migration(migrations.Migration):
    dependencies = [("compliance", "0009_erased_addresses")]
    operations = [
        migrations.RunSQL(LOCKS, UNLOCKS),
        migrations.RunSQL(SUPPRESS + UNSUBSCRIBE, BEFORE),
    ]
