-- Links the records of people who were merged into these people, over any number of merges, to the survivor.
WITH RECURSIVE gone (id, kept) AS (
    SELECT absorbed_id, survivor_id FROM contacts_merge WHERE undone_at IS NULL AND survivor_id = ANY(%(people)s)
    UNION SELECT m.absorbed_id, gone.kept FROM gone CROSS JOIN LATERAL (
        SELECT absorbed_id FROM contacts_merge WHERE survivor_id = gone.id AND undone_at IS NULL OFFSET 0
    ) m
)
UPDATE unsubscribes_syncrecord r SET contact_id = (SELECT kept FROM gone WHERE gone.id = r.contact_id)
WHERE id = ANY(ARRAY(
    SELECT own.id FROM gone CROSS JOIN LATERAL (
        SELECT id FROM unsubscribes_syncrecord WHERE contact_id = gone.id OFFSET 0
    ) own
))
