WITH moment AS MATERIALIZED (SELECT clock_timestamp() AS at), changed AS (
    UPDATE compliance_compliancecard SET informed_at = moment.at, version = version + 1, updated_at = now()
    FROM moment WHERE contact_id = ANY(%(ids)s) AND informed_at IS NULL RETURNING contact_id
), logged AS (
    INSERT INTO contacts_contactevent (contact_id, batch_id, actor_id, action, door, actor_name, changes, at)
    SELECT contact_id, %(batch_id)s, %(actor_id)s, %(action)s, %(door)s, %(actor_name)s,
           jsonb_build_object('how', jsonb_build_array(NULL, %(how)s::text),
                              'reason', jsonb_build_array(NULL, %(reason)s::text)), moment.at
    FROM changed, moment ORDER BY contact_id
)
SELECT count(*) FROM changed
