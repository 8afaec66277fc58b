-- Boxes that stay ticked after a re-consent, because the record's own address is still opted out.
UPDATE unsubscribes_syncrecord r SET ticked_for_other = true
WHERE r.id = ANY(%(records)s) AND r.opted_out AND {opted_out_here}
