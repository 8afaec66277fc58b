-- People who come in may be the first who tell what a suppressed address looks like, and may look like one themselves.
-- OFFSET 0 keeps PostgreSQL from walking all suppressions where a few people came in.
CREATE OR REPLACE FUNCTION compliance_people_seen() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[];
BEGIN
    IF NOT EXISTS (SELECT FROM compliance_suppression) THEN
        RETURN NULL;
    END IF;
    UPDATE compliance_suppression held SET skeleton_hash = told.skeleton_hash
    FROM (
        SELECT known.id, person.skeleton_hash FROM created CROSS JOIN LATERAL (
            SELECT address_hash, skeleton_hash FROM contacts_contact WHERE id = created.contact_id OFFSET 0
        ) person CROSS JOIN LATERAL (
            SELECT id FROM compliance_suppression WHERE address_hash = person.address_hash AND skeleton_hash IS NULL
            OFFSET 0
        ) known WHERE person.skeleton_hash IS NOT NULL
    ) told WHERE held.id = told.id;
    ids := ARRAY(
        SELECT created.contact_id FROM created CROSS JOIN LATERAL (
            SELECT address_hash, skeleton_hash FROM contacts_contact WHERE id = created.contact_id OFFSET 0
        ) person CROSS JOIN LATERAL (
            SELECT FROM compliance_suppression
            WHERE skeleton_hash = person.skeleton_hash AND address_hash <> person.address_hash LIMIT 1
        ) alike
    );
    IF cardinality(ids) > 0 THEN
        PERFORM compliance_see_lookalikes(ids, false);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER people_seen AFTER INSERT ON compliance_compliancecard
    REFERENCING NEW TABLE AS created
    FOR EACH STATEMENT EXECUTE FUNCTION compliance_people_seen();
