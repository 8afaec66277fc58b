-- Make the partition of a month; false where it is there. Row triggers reach each partition by themselves, a TRUNCATE
-- trigger does not.
CREATE OR REPLACE FUNCTION contacts_make_event_partition(month date) RETURNS boolean LANGUAGE plpgsql AS $$
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
