-- A version of the policy stays as it was. Who it is by may be forgotten with the account; the name stays.
CREATE OR REPLACE FUNCTION compliance_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        OLD.user_id := NEW.user_id;
        IF NEW IS NOT DISTINCT FROM OLD THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'What was in force stays on record: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE OR REPLACE TRIGGER policy_stays BEFORE UPDATE OR DELETE ON compliance_policy
    FOR EACH ROW EXECUTE FUNCTION compliance_refuse_change();
