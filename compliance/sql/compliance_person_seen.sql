-- What somebody said of one address says nothing of another. The person may be the first who tells what a suppressed
-- address looks like. A skeleton that only gets another hash key is the same.
CREATE OR REPLACE FUNCTION compliance_person_seen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE compliance_compliancecard SET told_apart_from = NULL
    WHERE contact_id = NEW.id AND told_apart_from IS NOT NULL AND OLD.email_key <> NEW.email_key;
    UPDATE compliance_suppression SET skeleton_hash = NEW.skeleton_hash
    WHERE address_hash = NEW.address_hash AND skeleton_hash IS NULL;
    PERFORM compliance_see_lookalikes(ARRAY[NEW.id], true);
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER person_seen AFTER UPDATE OF email_key, skeleton_hash ON contacts_contact
    FOR EACH ROW WHEN (OLD.email_key <> NEW.email_key OR OLD.skeleton_hash IS NULL AND NEW.skeleton_hash IS NOT NULL)
    EXECUTE FUNCTION compliance_person_seen();
