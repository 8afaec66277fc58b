-- With the values of an event goes the salt of its leaf, so that nobody can guess them by trying.
CREATE OR REPLACE FUNCTION contacts_take_salts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE contacts_sealedleaf leaf SET salt = NULL FROM before
    WHERE leaf.event_id = before.id AND salt IS NOT NULL AND before.changes <> contacts_scrubbed(before.changes);
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER contactevent_scrub_takes_salts AFTER UPDATE ON contacts_contactevent
    REFERENCING OLD TABLE AS before FOR EACH STATEMENT EXECUTE FUNCTION contacts_take_salts();
