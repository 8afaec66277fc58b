INSERT INTO contacts_contactevent (contact_id, batch_id, actor_id, action, door, actor_name, changes)
SELECT id, %(batch_id)s, %(actor_id)s, %(action)s, %(door)s, %(actor_name)s, %(changes)s
FROM ({ids}) AS touched (id)
