-- True for people who are opted out here, unless the box is known to be ticked. False for people who gave a new
-- consent, if the opt-out was written by us or read from the CRM. A waiting entry with the other value is overwritten; a
-- leased one stays as it is, and gets no second entry with the same value beside it.
INSERT INTO unsubscribes_outboxentry AS w
    (record_id, desired, state, attempts, due_at, known_stamp, clock_ahead, code, message, created_at)
SELECT r.id, %(desired)s, 'pending', 0, now(), CASE WHEN %(desired)s THEN NULL ELSE r.stamp END,
       (SELECT clock_ahead FROM unsubscribes_syncconnection), '', '', coalesce(%(said_at)s, now())
FROM unsubscribes_syncrecord r
WHERE r.id = ANY(%(records)s) AND NOT r.deleted AND r.successor_id = ''
AND {opted_out_here} = %(desired)s
AND NOT (%(desired)s AND {cleared_too_often})
AND (r.opted_out IS DISTINCT FROM %(desired)s OR NOT %(desired)s AND r.pushed OR EXISTS (
    SELECT FROM unsubscribes_outboxentry o WHERE o.record_id = r.id AND o.state IN ('pending', 'retry', 'leased')
    AND o.desired <> %(desired)s
))
AND (%(desired)s OR r.opted_out OR r.pushed OR EXISTS (
    SELECT FROM unsubscribes_outboxentry o WHERE o.record_id = r.id AND o.state IN ('pending', 'retry', 'leased')
))
AND (SELECT true FROM (SELECT state, desired FROM unsubscribes_outboxentry WHERE record_id = r.id OFFSET 0) o
     WHERE o.state = 'leased' AND o.desired = %(desired)s LIMIT 1) IS NULL
ORDER BY r.id
ON CONFLICT (record_id) WHERE state IN ('pending', 'retry') DO UPDATE
SET desired = EXCLUDED.desired, state = 'pending', attempts = 0, due_at = now(),
    known_stamp = EXCLUDED.known_stamp, clock_ahead = EXCLUDED.clock_ahead, created_at = EXCLUDED.created_at
WHERE w.desired <> EXCLUDED.desired
