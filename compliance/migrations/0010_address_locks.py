"""Locks of addresses, and the functions that suppress an address hold it before they look for who has it."""

from django.db import migrations

from salesconnect.lib.database.sql import statement

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


class Migration(migrations.Migration):
    dependencies = [("compliance", "0009_erased_addresses")]
    operations = [
        migrations.RunSQL(LOCKS, UNLOCKS),
        migrations.RunSQL(
            [statement(__file__, "sql/0010_suppress"), statement(__file__, "sql/0010_unsubscribe")],
            [
                "DROP FUNCTION compliance_suppress, compliance_unsubscribe",
                statement(__file__, "sql/0008_suppress"),
                statement(__file__, "sql/0008_unsubscribe"),
            ],
        ),
    ]
