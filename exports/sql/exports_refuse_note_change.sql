-- A note on how an identity was checked stays as it was written; an erasure alone empties it.
CREATE OR REPLACE FUNCTION exports_refuse_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.text = '' AND (NEW.id, NEW.request_id, NEW.actor_name, NEW.at) IS NOT DISTINCT FROM
        (OLD.id, OLD.request_id, OLD.actor_name, OLD.at) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'A note on the identity is never changed: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE OR REPLACE TRIGGER identitynote_append_only BEFORE UPDATE OR DELETE ON exports_identitynote
    FOR EACH ROW EXECUTE FUNCTION exports_refuse_note_change();
