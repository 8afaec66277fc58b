-- What a record holds now that it was written; whether its address, or its person, had no part in that.
UPDATE unsubscribes_syncrecord r SET opted_out = %(value)s, pushed = %(value)s, pushed_at = now(),
    synced_at = now(), ticked_for_other = %(value)s AND (
        r.address_hash IS NOT NULL AND NOT {address_opted_out}
        OR EXISTS (SELECT FROM compliance_compliancecard card
                   WHERE card.contact_id = r.contact_id AND NOT card.unsubscribed))
WHERE r.id = ANY(%(records)s)
