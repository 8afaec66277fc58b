-- Whether the record's own address is opted out, and not only a person who is linked to the record.
(
    EXISTS (
        SELECT FROM (SELECT source FROM compliance_suppression WHERE address_hash = r.address_hash OFFSET 0) s
        WHERE s.source <> 'bounce'
    ) OR EXISTS (
        SELECT FROM (SELECT id FROM contacts_contact WHERE address_hash = r.address_hash OFFSET 0) holder
        CROSS JOIN LATERAL (
            SELECT unsubscribed FROM compliance_compliancecard WHERE contact_id = holder.id OFFSET 0
        ) card
        LEFT JOIN LATERAL (
            SELECT source FROM compliance_suppression WHERE address_hash = r.address_hash OFFSET 0
        ) s ON true
        WHERE card.unsubscribed AND s.source IS DISTINCT FROM 'bounce'
    )
)
