-- No step joins two others: PostgreSQL knows nothing yet of events that are minutes old, and would take every step for
-- one row and compare each with each.
WITH {touched}, wanted AS MATERIALIZED (
    SELECT contact_id, {clock} {restored} FROM touched JOIN compliance_compliancecard card USING (contact_id)
    WHERE NOT {later}
), changed AS (
    UPDATE compliance_compliancecard card SET ({columns}) = ROW({wanted}),
           {moved}version = version + 1, updated_at = now()
    FROM wanted WHERE card.contact_id = wanted.contact_id
), logged AS (
    INSERT INTO contacts_contactevent (contact_id, batch_id, actor_id, action, door, actor_name, changes)
    SELECT contact_id, %(batch_id)s, %(actor_id)s, %(action)s, %(door)s, %(actor_name)s,
           {changes} {clocked}
    FROM wanted ORDER BY contact_id
)
SELECT (SELECT count(*) FROM wanted),
       ARRAY(SELECT contact_id FROM touched EXCEPT SELECT contact_id FROM wanted ORDER BY contact_id)
