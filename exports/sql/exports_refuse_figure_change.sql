-- Makes exports_dailyfigure append-only: figures of past days must never change.
CREATE OR REPLACE FUNCTION exports_refuse_figure_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The figures of a day are kept as they were: % refused', TG_OP
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE OR REPLACE TRIGGER dailyfigure_append_only BEFORE UPDATE OR DELETE ON exports_dailyfigure
    FOR EACH ROW EXECUTE FUNCTION exports_refuse_figure_change();
