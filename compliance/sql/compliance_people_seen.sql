-- People who come in may be the first who tell what a suppressed address looks like, and may look like one themselves.
-- OFFSET 0 keeps PostgreSQL from walking all suppressions where a few people came in. Where many did, the tables are
-- counted first, lest PostgreSQL takes them for empty. It keeps the plan of a function's statement for as long as a
-- connection lives: one that was made when a table had a few rows would read the whole table for each person later.
-- EXECUTE plans anew.
CREATE OR REPLACE FUNCTION compliance_people_seen() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[];
BEGIN
    IF (SELECT count(*) FROM (SELECT FROM created LIMIT 100) few) = 100 THEN
        PERFORM salesconnect_learn_sizes('{compliance_compliancecard,compliance_suppression}');
    END IF;
    IF NOT EXISTS (SELECT FROM compliance_suppression) THEN
        RETURN NULL;
    END IF;
    EXECUTE $told$
        UPDATE compliance_suppression held SET skeleton_hash = (
            SELECT skeleton_hash FROM contacts_contact WHERE address_hash = held.address_hash LIMIT 1
        ) WHERE skeleton_hash IS NULL AND address_hash = ANY(ARRAY(
            SELECT known.address_hash FROM created CROSS JOIN LATERAL (
                SELECT address_hash, skeleton_hash FROM contacts_contact WHERE id = created.contact_id OFFSET 0
            ) person CROSS JOIN LATERAL (
                SELECT address_hash, skeleton_hash FROM compliance_suppression
                WHERE address_hash = person.address_hash OFFSET 0
            ) known WHERE known.skeleton_hash IS NULL AND person.skeleton_hash IS NOT NULL
        ))
    $told$;
    EXECUTE $alike$
        SELECT ARRAY(SELECT created.contact_id FROM created CROSS JOIN LATERAL (
            SELECT address_hash, skeleton_hash FROM contacts_contact WHERE id = created.contact_id OFFSET 0
        ) person CROSS JOIN LATERAL (
            SELECT FROM compliance_suppression
            WHERE skeleton_hash = person.skeleton_hash AND address_hash <> person.address_hash LIMIT 1
        ) alike)
    $alike$ INTO ids;
    IF cardinality(ids) > 0 THEN
        PERFORM compliance_see_lookalikes(ids, false);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER people_seen AFTER INSERT ON compliance_compliancecard
    REFERENCING NEW TABLE AS created
    FOR EACH STATEMENT EXECUTE FUNCTION compliance_people_seen();
