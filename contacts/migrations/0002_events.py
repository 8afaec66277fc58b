"""The history: one table partitioned by month whose rows are only ever added."""

from django.db import migrations

TABLE = """
CREATE SEQUENCE contacts_contactevent_id_seq;
CREATE TABLE contacts_contactevent (
    id bigint NOT NULL DEFAULT nextval('contacts_contactevent_id_seq'),
    at timestamptz NOT NULL DEFAULT now(),
    contact_id bigint NOT NULL,
    batch_id bigint,
    actor_id bigint,
    action varchar(30) NOT NULL,
    door varchar(10) NOT NULL,
    actor_name varchar(150) NOT NULL,
    changes jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
ALTER SEQUENCE contacts_contactevent_id_seq OWNED BY contacts_contactevent.id;
CREATE INDEX contactevent_of_contact ON contacts_contactevent (contact_id, at, id);
CREATE INDEX contactevent_of_the_no ON contacts_contactevent (at, id) WHERE action IN ('unsubscribed', 'resubscribed');
"""

# The one change there is: when a person is erased, readable values go and codes, dates and line numbers stay.
REFUSAL = """
CREATE FUNCTION contacts_scrubbed(changes jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(changes)
    WHERE key IN ('authorization_type', 'consent_date', 'source_type', 'source', 'line', 'suppressed', 'into', 'merged')
$$;
CREATE FUNCTION contacts_refuse_event_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        OLD.changes := contacts_scrubbed(OLD.changes);
        IF NEW IS NOT DISTINCT FROM OLD THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'The history is append-only: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER contactevent_append_only BEFORE UPDATE OR DELETE ON contacts_contactevent
    FOR EACH ROW EXECUTE FUNCTION contacts_refuse_event_change();
CREATE TRIGGER contactevent_no_truncate BEFORE TRUNCATE ON contacts_contactevent
    FOR EACH STATEMENT EXECUTE FUNCTION contacts_refuse_event_change();
"""

# Row triggers reach each partition by themselves, a TRUNCATE trigger does not.
PARTITION = """
CREATE FUNCTION contacts_make_event_partition(month date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    name text := 'contacts_contactevent_' || to_char(month, 'YYYY_MM');
    lower_bound timestamptz := (date_trunc('month', month::timestamp)) AT TIME ZONE 'UTC';
    upper_bound timestamptz := (date_trunc('month', month::timestamp) + interval '1 month') AT TIME ZONE 'UTC';
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('contacts_make_event_partition'));
    IF to_regclass(name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I PARTITION OF contacts_contactevent FOR VALUES FROM (%L) TO (%L)',
        name, lower_bound, upper_bound);
    EXECUTE format('CREATE TRIGGER contactevent_no_truncate BEFORE TRUNCATE ON %I
        FOR EACH STATEMENT EXECUTE FUNCTION contacts_refuse_event_change()', name);
    RETURN true;
END $$;
SELECT count(contacts_make_event_partition(month::date))
    FROM generate_series(date_trunc('month', now()), now() + interval '24 months', interval '1 month') month;
"""


class Migration(migrations.Migration):
    dependencies = [("contacts", "0001_initial")]
    operations = [
        migrations.RunSQL(TABLE, "DROP TABLE contacts_contactevent"),
        migrations.RunSQL(REFUSAL, "DROP FUNCTION contacts_refuse_event_change, contacts_scrubbed CASCADE"),
        migrations.RunSQL(PARTITION, "DROP FUNCTION contacts_make_event_partition"),
    ]
