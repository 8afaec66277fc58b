-- The records of people and addresses; of a merged or converted record its last successor, over any number of hops.
-- UNION without ALL ends the recursion where the hops form a circle.
WITH RECURSIVE named AS (
    SELECT id, sf_id, successor_id FROM unsubscribes_syncrecord WHERE contact_id = ANY(%(people)s)
    UNION SELECT id, sf_id, successor_id FROM unsubscribes_syncrecord WHERE address_hash = ANY(%(hashes)s)
    UNION SELECT r.* FROM contacts_contact c CROSS JOIN LATERAL (
        SELECT id, sf_id, successor_id FROM unsubscribes_syncrecord WHERE address_hash = c.address_hash OFFSET 0
    ) r WHERE c.id = ANY(%(people)s)
    UNION SELECT r.* FROM contacts_contact c CROSS JOIN LATERAL (
        SELECT id, sf_id, successor_id FROM unsubscribes_syncrecord WHERE sf_id = c.salesforce_id OFFSET 0
    ) r WHERE c.id = ANY(%(people)s) AND c.salesforce_id <> ''
), found AS (
    SELECT * FROM named
    UNION SELECT r.* FROM found CROSS JOIN LATERAL (
        SELECT id, sf_id, successor_id FROM unsubscribes_syncrecord WHERE sf_id = found.successor_id OFFSET 0
    ) r WHERE found.successor_id <> ''
)
SELECT id FROM found WHERE successor_id = ''
