-- New suppressions mark the people whose addresses look like theirs. A bounce is no word of anybody, so it marks
-- nobody.
CREATE OR REPLACE FUNCTION compliance_suppressions_seen() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[] := ARRAY(
        SELECT person.id FROM suppressed CROSS JOIN LATERAL (
            SELECT id FROM contacts_contact alike
            WHERE alike.skeleton_hash = suppressed.skeleton_hash AND alike.address_hash <> suppressed.address_hash
            OFFSET 0
        ) person WHERE suppressed.skeleton_hash IS NOT NULL AND suppressed.source <> 'bounce'
    );
BEGIN
    IF cardinality(ids) > 0 THEN
        PERFORM compliance_see_lookalikes(ids, true);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER suppressions_seen AFTER INSERT ON compliance_suppression REFERENCING NEW TABLE AS suppressed
    FOR EACH STATEMENT EXECUTE FUNCTION compliance_suppressions_seen();
