-- People with a `created` event and no row, though they were neither deleted nor merged.
SELECT DISTINCT contact_id FROM contacts_contactevent event WHERE action = 'created'
    AND NOT EXISTS (SELECT FROM contacts_contact WHERE id = event.contact_id)
    AND NOT EXISTS (SELECT FROM contacts_contactevent went WHERE went.contact_id = event.contact_id
        AND went.action = 'deleted')
    AND NOT EXISTS (SELECT FROM contacts_contactevent went WHERE went.contact_id = event.contact_id
        AND went.action = 'merged' AND went.changes ? 'into')
