INSERT INTO contacts_contactevent (contact_id, batch_id, actor_id, action, door, actor_name, changes)
SELECT i.contact_id, %(batch_id)s, %(actor_id)s, act.action, %(door)s, %(actor_name)s,
       act.changes || jsonb_build_object('file', %(file)s::text, 'line', i.line)
FROM incoming i JOIN contacts_contact c ON c.id = i.contact_id
JOIN compliance_compliancecard card ON card.contact_id = i.contact_id
CROSS JOIN LATERAL (VALUES
    (i.edits, 'edited', {edits}),
    (i.authorises, 'authorization', {authorization}),
    (i.sources, 'source', {source}),
    (i.opts_out, 'unsubscribed', jsonb_build_object('source', jsonb_build_array(NULL, 'import'))
        || CASE WHEN i.opt_out_reason = '' THEN '{}'
                ELSE jsonb_build_object('reason', jsonb_build_array(NULL, i.opt_out_reason)) END)
) act (happens, action, changes)
WHERE i.changes AND act.happens ORDER BY i.contact_id
