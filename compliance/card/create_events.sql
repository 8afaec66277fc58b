INSERT INTO contacts_contactevent (contact_id, batch_id, actor_id, action, door, actor_name, changes)
SELECT i.contact_id, %(batch_id)s, %(actor_id)s, %(action)s, %(door)s, %(actor_name)s, jsonb_strip_nulls(
    jsonb_build_object('line', nullif(i.line, 0), 'file', %(file)s::text,
        'suppressed', CASE WHEN card.unsubscribed THEN true END, 'erased_before', %(erased_before)s::boolean,
        'authorization_type', (%(authorizations)s)[i.authorization_type],
        'authorization_other', nullif(i.authorization_other, ''),
        'consent_date', i.consent_date, 'consent_purpose', nullif(i.consent_purpose, ''),
        'source_type', (%(sources)s)[i.source_type], 'source_other', nullif(i.source_other, '')))
FROM incoming i JOIN compliance_compliancecard card USING (contact_id) WHERE NOT i.taken ORDER BY i.line
