-- A record has at most one leased entry, so that two workers never write it at the same time. ANY(ARRAY(...)) is
-- evaluated once; for IN (...), PostgreSQL may choose a plan that runs the subquery for each row when the table has no
-- statistics. SKIP LOCKED passes over entries that another worker is leasing.
UPDATE unsubscribes_outboxentry SET state = 'leased', lease = %(lease)s,
    leased_until = clock_timestamp() + make_interval(secs => %(seconds)s)
WHERE id = ANY(ARRAY(
    SELECT w.id FROM unsubscribes_outboxentry w CROSS JOIN LATERAL (
        SELECT person_account, sobject FROM unsubscribes_syncrecord WHERE id = w.record_id OFFSET 0
    ) r
    WHERE w.state IN ('pending', 'retry') AND w.due_at <= %(until)s AND w.desired = %(desired)s
    AND (w.attempts >= {often_failed}) IS NOT DISTINCT FROM coalesce(%(often_failed)s, w.attempts >= {often_failed})
    AND CASE WHEN r.person_account THEN %(parent)s ELSE r.sobject END <> ALL(%(skipped)s)
    AND (SELECT true FROM (SELECT state FROM unsubscribes_outboxentry WHERE record_id = w.record_id OFFSET 0) o
         WHERE o.state = 'leased' LIMIT 1) IS NULL
    ORDER BY w.due_at, w.id LIMIT %(limit)s FOR UPDATE OF w SKIP LOCKED
))
