-- Who brings the suppression of an address that somebody has need not know what the address looks like.
CREATE OR REPLACE FUNCTION compliance_skeleton_of_holder() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.skeleton_hash := (SELECT skeleton_hash FROM contacts_contact WHERE address_hash = NEW.address_hash LIMIT 1);
    RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER suppression_skeleton BEFORE INSERT ON compliance_suppression
    FOR EACH ROW WHEN (NEW.skeleton_hash IS NULL) EXECUTE FUNCTION compliance_skeleton_of_holder();
