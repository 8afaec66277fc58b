SELECT count(*), count(*) FILTER (WHERE restricted_at IS NOT NULL),
       count(*) FILTER (WHERE restricted_at IS NULL AND ({columns}) IS DISTINCT FROM ({wanted})),
       count(*) FILTER (WHERE restricted_at IS NULL AND authorization_type IN ({consents})),
       count(*) FILTER (WHERE restricted_at IS NULL AND authorization_type IN ({consents})
           AND ({columns}) IS DISTINCT FROM ({wanted}))
FROM compliance_compliancecard WHERE contact_id IN ({people})
