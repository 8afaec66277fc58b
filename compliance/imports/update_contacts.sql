UPDATE contacts_contact c SET
    {details},
    {sort_keys}
FROM incoming i WHERE i.changes AND i.edits AND c.id = i.contact_id
