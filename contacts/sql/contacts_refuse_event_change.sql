-- The history is append-only. The one change there is: words go together with the event that says so. That act is of
-- this transaction, or of a part of it, when its row is visible and yet in progress. One condition for each row, also
-- of a partition that is updated by its own name.
CREATE OR REPLACE FUNCTION contacts_refuse_event_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW IS NOT DISTINCT FROM OLD THEN
            RETURN NEW;
        END IF;
        OLD.changes := contacts_scrubbed(OLD.changes);
        IF NEW IS NOT DISTINCT FROM OLD THEN
            IF EXISTS (
                SELECT FROM contacts_contactevent act
                WHERE act.contact_id = OLD.contact_id AND act.action IN ('deleted', 'scrubbed')
                AND act.at >= transaction_timestamp() AND act.at < transaction_timestamp() + interval '1 day'
                AND CASE WHEN act.at >= transaction_timestamp() THEN pg_xact_status((
                    (pg_current_xact_id()::text::bigint >> 32 << 32) | act.xmin::text::bigint)::text::xid8
                ) = 'in progress' END
            ) THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'No act of this transaction erases these words' USING ERRCODE = 'insufficient_privilege';
        END IF;
    END IF;
    RAISE EXCEPTION 'The history is append-only: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE OR REPLACE TRIGGER contactevent_append_only BEFORE UPDATE OR DELETE ON contacts_contactevent
    FOR EACH ROW EXECUTE FUNCTION contacts_refuse_event_change();

CREATE OR REPLACE TRIGGER contactevent_no_truncate BEFORE TRUNCATE ON contacts_contactevent
    FOR EACH STATEMENT EXECUTE FUNCTION contacts_refuse_event_change();
