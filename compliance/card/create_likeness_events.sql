INSERT INTO contacts_contactevent (contact_id, batch_id, actor_id, action, door, actor_name, changes)
SELECT contact_id, %(batch_id)s, NULL, 'looked_alike', %(door)s, 'Sales Connect', '{}'
FROM incoming i JOIN compliance_compliancecard card USING (contact_id)
WHERE NOT i.taken AND card.looks_opted_out ORDER BY i.line
