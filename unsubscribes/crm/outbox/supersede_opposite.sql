-- A dead letter is superseded once the person wants the opposite.
WITH void AS MATERIALIZED (
    SELECT w.id, r.sf_id FROM unsubscribes_syncrecord r CROSS JOIN LATERAL (
        SELECT id, state, desired FROM unsubscribes_outboxentry WHERE record_id = r.id OFFSET 0
    ) w WHERE r.id = ANY(%(records)s) AND w.state = 'dead' AND w.desired <> {opted_out_here}
), ended AS (
    UPDATE unsubscribes_outboxentry SET state = 'superseded', finished_at = now()
    WHERE id = ANY(ARRAY(SELECT id FROM void))
) SELECT sf_id FROM void
