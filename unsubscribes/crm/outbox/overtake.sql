-- Entries that were just leased are superseded if the local state no longer calls for them.
UPDATE unsubscribes_outboxentry SET state = 'superseded', finished_at = now(), lease = NULL
WHERE id = ANY(ARRAY(
    SELECT w.id FROM unsubscribes_outboxentry w
    CROSS JOIN LATERAL (SELECT * FROM unsubscribes_syncrecord WHERE id = w.record_id OFFSET 0) r
    WHERE w.lease = %(lease)s AND (r.deleted OR r.successor_id <> '' OR {opted_out_here} <> w.desired)
))
