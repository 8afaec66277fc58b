-- Whether the person of a record `r` is opted out here for a reason that the CRM has to know: a bounce is none.
-- `OFFSET 0` is an optimisation fence: it makes PostgreSQL look each record up by index. With stale statistics about how
-- many people are opted out, it would scan all of them, for each record anew.
(
    EXISTS (
        SELECT FROM (SELECT source FROM compliance_suppression WHERE address_hash = r.address_hash OFFSET 0) s
        WHERE s.source <> 'bounce'
    ) OR EXISTS (
        SELECT FROM (
            SELECT r.contact_id AS id
            UNION ALL SELECT id FROM contacts_contact WHERE address_hash = r.address_hash
            UNION ALL SELECT id FROM contacts_contact WHERE salesforce_id = r.sf_id AND salesforce_id <> ''
            OFFSET 0
        ) holder
        CROSS JOIN LATERAL (
            SELECT unsubscribed FROM compliance_compliancecard WHERE contact_id = holder.id OFFSET 0
        ) card
        CROSS JOIN LATERAL (SELECT address_hash FROM contacts_contact WHERE id = holder.id OFFSET 0) c
        LEFT JOIN LATERAL (
            SELECT source FROM compliance_suppression WHERE address_hash = c.address_hash OFFSET 0
        ) s ON true
        WHERE card.unsubscribed AND s.source IS DISTINCT FROM 'bounce'
    )
)
