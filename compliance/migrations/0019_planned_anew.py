"""Look-alikes of new people by statements whose cost hangs neither on statistics nor on the size at an earlier time.

PostgreSQL keeps the plan of a function's statement for as long as a connection lives: one that was made when a table
had a few rows reads the whole table for each person after an import. EXECUTE plans anew.
"""

from importlib import import_module

from django.db import migrations

earlier = import_module("compliance.migrations.0016_lookalikes")

# The persons of the new cards, each looked up by itself.
PERSON = """
    FROM created CROSS JOIN LATERAL (
        SELECT address_hash, skeleton_hash FROM contacts_contact WHERE id = created.contact_id OFFSET 0
    ) person
"""
PEOPLE_SEEN = f"""
CREATE OR REPLACE FUNCTION compliance_people_seen() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[];
BEGIN
    IF (SELECT count(*) FROM (SELECT FROM created LIMIT 100) few) = 100 THEN
        PERFORM salesconnect_learn_sizes('{{compliance_compliancecard,compliance_suppression}}');
    END IF;
    IF NOT EXISTS (SELECT FROM compliance_suppression) THEN
        RETURN NULL;
    END IF;
    EXECUTE $told$
        UPDATE compliance_suppression held SET skeleton_hash = (
            SELECT skeleton_hash FROM contacts_contact WHERE address_hash = held.address_hash LIMIT 1
        ) WHERE skeleton_hash IS NULL AND address_hash = ANY(ARRAY(
            SELECT known.address_hash {PERSON} CROSS JOIN LATERAL (
                SELECT address_hash, skeleton_hash FROM compliance_suppression
                WHERE address_hash = person.address_hash OFFSET 0
            ) known WHERE known.skeleton_hash IS NULL AND person.skeleton_hash IS NOT NULL
        ))
    $told$;
    EXECUTE $alike$
        SELECT ARRAY(SELECT created.contact_id {PERSON} CROSS JOIN LATERAL (
            SELECT FROM compliance_suppression
            WHERE skeleton_hash = person.skeleton_hash AND address_hash <> person.address_hash LIMIT 1
        ) alike)
    $alike$ INTO ids;
    IF cardinality(ids) > 0 THEN
        PERFORM compliance_see_lookalikes(ids, false);
    END IF;
    RETURN NULL;
END $$;
"""
FORMER = earlier.PEOPLE[earlier.PEOPLE.index("CREATE FUNCTION compliance_people_seen") :]
FORMER = FORMER[: FORMER.index("CREATE TRIGGER")].replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


class Migration(migrations.Migration):
    dependencies = [("compliance", "0018_functions_as_in_their_files"), ("salesconnect", "0002_table_sizes")]
    operations = [migrations.RunSQL(PEOPLE_SEEN, FORMER)]
