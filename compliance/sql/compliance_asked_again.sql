-- A re-consent takes an opt-out off a card: whether the address looks like another one that said no is asked anew.
CREATE OR REPLACE FUNCTION compliance_asked_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM compliance_see_lookalikes(ARRAY[NEW.contact_id], true);
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER card_asked_again AFTER UPDATE OF unsubscribed ON compliance_compliancecard
    FOR EACH ROW WHEN (OLD.unsubscribed AND NOT NEW.unsubscribed) EXECUTE FUNCTION compliance_asked_again();
