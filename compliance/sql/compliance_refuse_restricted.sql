-- Nothing of the card of a restricted person changes but the restriction itself and an opt-out.
CREATE OR REPLACE FUNCTION compliance_refuse_restricted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Processing is restricted: a change of the card of person % refused', OLD.contact_id
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE OR REPLACE TRIGGER card_is_restricted BEFORE UPDATE OF authorization_type, authorization_other, consent_date,
    consent_purpose, source_type, source_other ON compliance_compliancecard
    FOR EACH ROW WHEN (OLD.restricted_at IS NOT NULL AND NEW.restricted_at IS NOT NULL
        AND (OLD.authorization_type, OLD.authorization_other, OLD.consent_date, OLD.consent_purpose, OLD.source_type,
             OLD.source_other)
        IS DISTINCT FROM (NEW.authorization_type, NEW.authorization_other, NEW.consent_date, NEW.consent_purpose,
             NEW.source_type, NEW.source_other))
    EXECUTE FUNCTION compliance_refuse_restricted();
