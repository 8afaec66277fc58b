-- Boxes that are cleared again and again are not ticked any more; an administrator gets a dead letter instead, so that
-- the opt-out is never dropped silently.
INSERT INTO unsubscribes_outboxentry (record_id, desired, state, attempts, code, message, finished_at)
SELECT r.id, true, 'dead', 0, '{code}', r.modified_by, now() FROM unsubscribes_syncrecord r
WHERE r.id = ANY(%(records)s) AND NOT r.deleted AND r.successor_id = ''
AND {cleared_too_often} AND r.opted_out IS DISTINCT FROM true AND {opted_out_here}
AND (SELECT true FROM (
    SELECT state, desired, code FROM unsubscribes_outboxentry WHERE record_id = r.id OFFSET 0
) o WHERE o.desired AND (
    o.state IN ('pending', 'retry', 'leased') OR o.state = 'dead' AND o.code = '{code}') LIMIT 1) IS NULL
ORDER BY r.id RETURNING record_id
