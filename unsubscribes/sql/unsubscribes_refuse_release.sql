-- The last line of defence: no statement releases a suppressed address but that of a re-consent, which names the
-- addresses for the length of its transaction. The one other change is that to another hash key, for the same address.
CREATE OR REPLACE FUNCTION unsubscribes_refuse_release() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.address_hash::text = ANY (
        string_to_array(current_setting('salesconnect.reconsent_addresses', true), ',')
    ) THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    RAISE EXCEPTION 'Only a re-consent releases an address: % of a suppression refused', TG_OP
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE OR REPLACE TRIGGER suppression_keeps_its_address BEFORE UPDATE OF address_hash ON compliance_suppression
    FOR EACH ROW WHEN (NEW.address_hash <> OLD.address_hash AND NEW.hash_key = OLD.hash_key)
    EXECUTE FUNCTION unsubscribes_refuse_release();

CREATE OR REPLACE TRIGGER suppression_stays BEFORE DELETE ON compliance_suppression
    FOR EACH ROW EXECUTE FUNCTION unsubscribes_refuse_release();
