-- What the CRM has reported as gone, with what was written for it and what it said; an opt-out that a record owes to
-- its successor is handed on first. Those that owe are few, and are hashed; the rest is looked up, for PostgreSQL may
-- take a table for empty.
WITH gone AS (
    DELETE FROM unsubscribes_syncrecord r WHERE contact_id IS NULL AND {which} AND NOT owes
    AND sf_id NOT IN (SELECT successor_id FROM unsubscribes_syncrecord WHERE owes)
    RETURNING id, sf_id
), forgotten_entries AS (
    DELETE FROM unsubscribes_outboxentry WHERE record_id = ANY(ARRAY(SELECT id FROM gone))
), said AS (
    DELETE FROM unsubscribes_syncerror WHERE sf_id = ANY(ARRAY(SELECT sf_id FROM gone))
) SELECT count(*) FROM gone
