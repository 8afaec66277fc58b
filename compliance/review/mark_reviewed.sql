WITH changed AS (
    UPDATE compliance_compliancecard
    SET basis_since = %(today)s, reviewed_on = %(today)s, version = version + 1, updated_at = now()
    WHERE contact_id = ANY(%(ids)s) AND authorization_type IS NOT NULL RETURNING contact_id
), logged AS (
    INSERT INTO contacts_contactevent (contact_id, batch_id, actor_id, action, door, actor_name, changes)
    SELECT contact_id, %(batch_id)s, %(actor_id)s, %(action)s, %(door)s, %(actor_name)s, %(changes)s
    FROM changed ORDER BY contact_id
)
SELECT count(*) FROM changed
