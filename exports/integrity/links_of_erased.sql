-- A link may keep the hash while a person has the address or the mail, or while a suppression or an erasure keeps it.
SELECT id FROM unsubscribes_maillink link WHERE address_hash IS NOT NULL
    AND NOT EXISTS (SELECT FROM contacts_contact other WHERE other.address_hash = link.address_hash)
    AND NOT EXISTS (SELECT FROM compliance_suppression held WHERE held.address_hash = link.address_hash)
    AND NOT EXISTS (SELECT FROM compliance_erasedaddress held WHERE held.address_hash = link.address_hash)
    AND NOT EXISTS (SELECT FROM unsubscribes_message mail WHERE mail.link_id = link.id)
    AND NOT EXISTS (SELECT FROM unsubscribes_message mail WHERE mail.id = link.replaced_in)
    AND created_at <= (SELECT max(at) FROM contacts_contactevent WHERE action = 'deleted')
