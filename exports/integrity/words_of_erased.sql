SELECT DISTINCT contact_id FROM contacts_contactevent
WHERE contact_id IN (SELECT contact_id FROM contacts_contactevent WHERE action = 'deleted')
    AND changes <> contacts_scrubbed(changes)
