-- With an opt-out the mark goes: nothing is left to ask. The event of the one tells the other.
CREATE OR REPLACE FUNCTION compliance_no_longer_asked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.looks_opted_out := false;
    RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER card_no_longer_asked BEFORE UPDATE OF unsubscribed ON compliance_compliancecard
    FOR EACH ROW WHEN (NEW.unsubscribed AND NEW.looks_opted_out) EXECUTE FUNCTION compliance_no_longer_asked();
