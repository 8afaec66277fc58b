-- The figures of a past day are never changed.
CREATE OR REPLACE FUNCTION exports_refuse_figure_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The figures of a day are kept as they were: % refused', TG_OP
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE OR REPLACE TRIGGER dailyfigure_append_only BEFORE UPDATE OR DELETE ON exports_dailyfigure
    FOR EACH ROW EXECUTE FUNCTION exports_refuse_figure_change();
