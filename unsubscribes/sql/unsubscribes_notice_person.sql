-- Every opt-out of a person leaves a notice for Salesforce in its own transaction, whatever the way it came in. The
-- condition stands in the triggers, so that other changes of a card cost nothing.
CREATE OR REPLACE FUNCTION unsubscribes_notice_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO unsubscribes_syncnotice (contact_id) VALUES (NEW.contact_id);
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER card_tells_of_a_new_no AFTER INSERT ON compliance_compliancecard
    FOR EACH ROW WHEN (NEW.unsubscribed) EXECUTE FUNCTION unsubscribes_notice_person();

CREATE OR REPLACE TRIGGER card_tells_of_a_no AFTER UPDATE OF unsubscribed ON compliance_compliancecard
    FOR EACH ROW WHEN (NEW.unsubscribed AND NOT OLD.unsubscribed) EXECUTE FUNCTION unsubscribes_notice_person();
