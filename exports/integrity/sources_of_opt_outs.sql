SELECT coalesce(said_source, held.source, 'manual') AS source, array_agg(contact_id)
FROM ({folded}) folded JOIN contacts_contact contact ON contact.id = contact_id
LEFT JOIN compliance_suppression held ON held.address_hash = contact.address_hash
GROUP BY 1 ORDER BY 1
