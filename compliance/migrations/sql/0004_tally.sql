CREATE FUNCTION compliance_tally_cards() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO compliance_cardtally (authorization_type, source_type, unsubscribed, consent_date, number) SELECT authorization_type, source_type, unsubscribed, consent_date, count(*) FROM new_cards GROUP BY authorization_type, source_type, unsubscribed, consent_date;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO compliance_cardtally (authorization_type, source_type, unsubscribed, consent_date, number) SELECT authorization_type, source_type, unsubscribed, consent_date, -count(*) FROM old_cards GROUP BY authorization_type, source_type, unsubscribed, consent_date;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO compliance_cardtally (authorization_type, source_type, unsubscribed, consent_date, number)
            SELECT authorization_type, source_type, unsubscribed, consent_date, sum(step) FROM (
                SELECT authorization_type, source_type, unsubscribed, consent_date, 1 AS step FROM new_cards UNION ALL SELECT authorization_type, source_type, unsubscribed, consent_date, -1 FROM old_cards
            ) both_ways GROUP BY authorization_type, source_type, unsubscribed, consent_date HAVING sum(step) <> 0;
    ELSE
        DELETE FROM compliance_cardtally;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER card_tally_insert AFTER INSERT ON compliance_compliancecard REFERENCING NEW TABLE AS new_cards
    FOR EACH STATEMENT EXECUTE FUNCTION compliance_tally_cards();
CREATE TRIGGER card_tally_delete AFTER DELETE ON compliance_compliancecard REFERENCING OLD TABLE AS old_cards
    FOR EACH STATEMENT EXECUTE FUNCTION compliance_tally_cards();
CREATE TRIGGER card_tally_update AFTER UPDATE ON compliance_compliancecard
    REFERENCING OLD TABLE AS old_cards NEW TABLE AS new_cards
    FOR EACH STATEMENT EXECUTE FUNCTION compliance_tally_cards();
CREATE TRIGGER card_tally_truncate AFTER TRUNCATE ON compliance_compliancecard
    FOR EACH STATEMENT EXECUTE FUNCTION compliance_tally_cards();
