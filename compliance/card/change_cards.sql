-- Cards are locked in the order of their ids, so that no two acts deadlock.
WITH locked AS MATERIALIZED (
    SELECT contact_id, {columns}, basis_since, reviewed_on, {free} AS free FROM compliance_compliancecard
    WHERE contact_id IN ({people}) ORDER BY contact_id FOR UPDATE
), old AS MATERIALIZED (
    SELECT contact_id, {columns}, basis_since, reviewed_on FROM locked
    WHERE free AND ({columns}) IS DISTINCT FROM ({wanted})
), changed AS (
    UPDATE compliance_compliancecard card
    SET ({columns}) = ROW({wanted}), {moved}version = version + 1, updated_at = now()
    FROM old WHERE card.contact_id = old.contact_id
), logged AS (
    INSERT INTO contacts_contactevent (contact_id, batch_id, actor_id, action, door, actor_name, changes)
    SELECT contact_id, %(batch_id)s, %(actor_id)s, %(action)s, %(door)s, %(actor_name)s, {changes}
    FROM old ORDER BY contact_id
)
SELECT count(*) FILTER (WHERE free), (SELECT count(*) FROM old),
       coalesce(array_agg(contact_id) FILTER (WHERE NOT free), '{}') FROM locked
