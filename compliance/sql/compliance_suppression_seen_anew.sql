-- A suppression that goes, learns what its address looks like, or is no longer a mere bounce changes whom it marks.
CREATE OR REPLACE FUNCTION compliance_suppression_seen_anew() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    likeness uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.skeleton_hash ELSE NEW.skeleton_hash END;
BEGIN
    PERFORM compliance_see_lookalikes(ARRAY(SELECT id FROM contacts_contact WHERE skeleton_hash = likeness), true);
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER suppression_gone AFTER DELETE ON compliance_suppression
    FOR EACH ROW WHEN (OLD.skeleton_hash IS NOT NULL) EXECUTE FUNCTION compliance_suppression_seen_anew();

CREATE OR REPLACE TRIGGER suppression_seen_anew AFTER UPDATE ON compliance_suppression
    FOR EACH ROW WHEN (NEW.skeleton_hash IS NOT NULL
        AND (OLD.skeleton_hash IS NULL OR (OLD.source = 'bounce') <> (NEW.source = 'bounce')))
    EXECUTE FUNCTION compliance_suppression_seen_anew();
