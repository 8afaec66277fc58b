-- What stays of an event when the person is erased: codes, dates and line numbers, and which record went into which,
-- without which nobody could tell who was there on a past day. The words also go from events of people who are still
-- here, whose cards and past days are told from what stays: how they were informed, from when their basis counts.
CREATE OR REPLACE FUNCTION contacts_scrubbed(changes jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(changes) WHERE key IN (
        'authorization_type', 'consent_date', 'source_type', 'source', 'line', 'suppressed', 'into', 'merged',
        'how', 'basis_since', 'reviewed_on', 'unsubscribed'
    )
$$;
