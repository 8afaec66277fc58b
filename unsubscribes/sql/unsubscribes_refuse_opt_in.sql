-- The last line of defence: no statement turns an opt-out into an opt-in but that of a re-consent, which names the
-- person for the length of its transaction; see unsubscribes.evidence.reconsent.
CREATE OR REPLACE FUNCTION unsubscribes_refuse_opt_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.contact_id::text = current_setting('salesconnect.reconsent_contact', true) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'Only a re-consent removes an unsubscribe: refused for person %', OLD.contact_id
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE OR REPLACE TRIGGER card_keeps_the_no BEFORE UPDATE OF unsubscribed ON compliance_compliancecard
    FOR EACH ROW WHEN (OLD.unsubscribed AND NOT NEW.unsubscribed) EXECUTE FUNCTION unsubscribes_refuse_opt_in();
