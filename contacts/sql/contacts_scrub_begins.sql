-- Scrubs share a lock that sealing takes alone for its short transactions: so no event is sealed with a salt for
-- values that are going at that moment. Nobody else ever waits for it.
CREATE OR REPLACE FUNCTION contacts_scrub_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext('contacts_seal'));
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER contactevent_scrub_begins BEFORE UPDATE ON contacts_contactevent
    FOR EACH STATEMENT EXECUTE FUNCTION contacts_scrub_begins();
