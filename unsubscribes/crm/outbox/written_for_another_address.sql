SELECT r.id FROM unsubscribes_syncrecord r
WHERE r.id = ANY(%(records)s) AND (r.address_hash IS NULL OR NOT {address_opted_out})
