-- Seals and their leaves are append-only. The one change of a leaf: the salt goes with the values of its event.
CREATE OR REPLACE FUNCTION contacts_refuse_seal_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'contacts_sealedleaf' THEN
        OLD.salt := NULL;
        IF NEW IS NOT DISTINCT FROM OLD THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'Seals are append-only: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE OR REPLACE TRIGGER seal_append_only BEFORE UPDATE OR DELETE ON contacts_seal
    FOR EACH ROW EXECUTE FUNCTION contacts_refuse_seal_change();

CREATE OR REPLACE TRIGGER seal_no_truncate BEFORE TRUNCATE ON contacts_seal
    FOR EACH STATEMENT EXECUTE FUNCTION contacts_refuse_seal_change();

CREATE OR REPLACE TRIGGER sealedleaf_append_only BEFORE UPDATE OR DELETE ON contacts_sealedleaf
    FOR EACH ROW EXECUTE FUNCTION contacts_refuse_seal_change();

CREATE OR REPLACE TRIGGER sealedleaf_no_truncate BEFORE TRUNCATE ON contacts_sealedleaf
    FOR EACH STATEMENT EXECUTE FUNCTION contacts_refuse_seal_change();
