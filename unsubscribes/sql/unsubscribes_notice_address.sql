-- Every opt-out of an address leaves a notice for Salesforce in its own transaction, whatever the way it came in. The
-- condition stands in the triggers, so that other changes cost nothing. A bounce suppresses here alone.
CREATE OR REPLACE FUNCTION unsubscribes_notice_address() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO unsubscribes_syncnotice (address_hash) VALUES (NEW.address_hash);
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER suppression_tells_of_a_new_no AFTER INSERT ON compliance_suppression
    FOR EACH ROW WHEN (NEW.source <> 'bounce') EXECUTE FUNCTION unsubscribes_notice_address();

CREATE OR REPLACE TRIGGER suppression_tells_of_a_no AFTER UPDATE OF said_at, source ON compliance_suppression
    FOR EACH ROW WHEN (NEW.source <> 'bounce' AND (NEW.said_at <> OLD.said_at OR NEW.source <> OLD.source))
    EXECUTE FUNCTION unsubscribes_notice_address();
