WITH {touched}, wanted AS MATERIALIZED (
    SELECT contact_id, contact.owner_id AS was_id,
           (SELECT holder.id FROM contacts_user holder WHERE holder.id = (changes -> 'owner_id' ->> 0)::bigint)
           AS owner_id
    FROM touched JOIN contacts_contact contact ON contact.id = contact_id WHERE NOT {later}
), {change}
SELECT (SELECT count(*) FROM wanted),
       ARRAY(SELECT contact_id FROM touched EXCEPT SELECT contact_id FROM wanted ORDER BY contact_id)
