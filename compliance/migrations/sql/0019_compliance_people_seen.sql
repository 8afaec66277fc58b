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
