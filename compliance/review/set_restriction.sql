-- The card and the event hold the very same moment: the state of any date is folded from the events.
WITH moment AS MATERIALIZED (SELECT clock_timestamp() AS at), changed AS (
    UPDATE compliance_compliancecard
    SET restricted_at = CASE WHEN %(restricts)s THEN moment.at END, version = version + 1, updated_at = now()
    FROM moment WHERE contact_id = ANY(%(ids)s) AND (restricted_at IS NULL) = %(restricts)s RETURNING contact_id
), logged AS (
    INSERT INTO contacts_contactevent (contact_id, batch_id, actor_id, action, door, actor_name, changes, at)
    SELECT contact_id, %(batch_id)s, %(actor_id)s, %(action)s, %(door)s, %(actor_name)s,
           jsonb_build_object('reason', jsonb_build_array(NULL, %(reason)s::text)), moment.at
    FROM changed, moment ORDER BY contact_id
)
SELECT count(*) FROM changed
