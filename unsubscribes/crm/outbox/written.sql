-- Stores the value that was written to a record, and whether we ticked it for somebody else than its own address or its
-- linked person (`ticked_for_other`).
UPDATE unsubscribes_syncrecord r SET opted_out = %(value)s, pushed = %(value)s, pushed_at = now(),
    synced_at = now(), ticked_for_other = %(value)s AND (
        r.address_hash IS NOT NULL AND NOT {address_opted_out}
        OR EXISTS (SELECT FROM compliance_compliancecard card
                   WHERE card.contact_id = r.contact_id AND NOT card.unsubscribed))
WHERE r.id = ANY(%(records)s)
