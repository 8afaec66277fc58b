-- Deletes records with their outbox entries and errors. A record that owes an opt-out to its successor, and a successor
-- that is owed one, stay until it is passed on. NOT IN hashes the owing records, which are few; the other tables are
-- looked up by ANY(ARRAY(...)), because PostgreSQL may take a table without statistics for empty and scan it.
WITH gone AS (
    DELETE FROM unsubscribes_syncrecord r WHERE contact_id IS NULL AND {which} AND NOT owes
    AND sf_id NOT IN (SELECT successor_id FROM unsubscribes_syncrecord WHERE owes)
    RETURNING id, sf_id
), forgotten_entries AS (
    DELETE FROM unsubscribes_outboxentry WHERE record_id = ANY(ARRAY(SELECT id FROM gone))
), said AS (
    DELETE FROM unsubscribes_syncerror WHERE sf_id = ANY(ARRAY(SELECT sf_id FROM gone))
) SELECT count(*) FROM gone
