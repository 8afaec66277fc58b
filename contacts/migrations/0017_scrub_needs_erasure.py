"""Words leave the history only together with the event that says so: the database itself asks for it."""

from django.db import migrations

# One condition for each row, also of a partition that is updated by its own name. The act is of this transaction, or of a
# part of it, when its row is visible and yet in progress.
REFUSAL = """
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
"""
BEFORE = """
CREATE OR REPLACE FUNCTION contacts_refuse_event_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        OLD.changes := contacts_scrubbed(OLD.changes);
        IF NEW IS NOT DISTINCT FROM OLD THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'The history is append-only: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("contacts", "0016_waiting_orders")]
    operations = [migrations.RunSQL(REFUSAL, BEFORE)]
