-- A waiting entry is superseded where the opposite value, for which the local state calls again, is leased already.
WITH doubled AS (
    SELECT r.id FROM unsubscribes_syncrecord r CROSS JOIN LATERAL (
        SELECT bool_or(state = 'leased' AND desired = %(desired)s) AS same,
               bool_or(state IN ('pending', 'retry') AND desired <> %(desired)s) AS opposite
        FROM (SELECT state, desired FROM unsubscribes_outboxentry WHERE record_id = r.id OFFSET 0) w
    ) open
    WHERE r.id = ANY(%(records)s) AND open.same AND open.opposite AND {opted_out_here} = %(desired)s
)
UPDATE unsubscribes_outboxentry SET state = 'superseded', finished_at = now()
WHERE record_id = ANY(ARRAY(SELECT id FROM doubled))
AND state IN ('pending', 'retry') AND desired <> %(desired)s
