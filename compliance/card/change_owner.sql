-- `wanted` says who gets which owner. The version and the time of change live on the card for the whole person; the
-- event holds the names beside the numbers, for a user may be called something else later.
given AS (
    UPDATE contacts_contact SET owner_id = wanted.owner_id FROM wanted WHERE id = wanted.contact_id
), touched_cards AS (
    UPDATE compliance_compliancecard card SET version = version + 1, updated_at = now()
    FROM wanted WHERE card.contact_id = wanted.contact_id
), logged AS (
    INSERT INTO contacts_contactevent (contact_id, batch_id, actor_id, action, door, actor_name, changes)
    SELECT contact_id, %(batch_id)s, %(actor_id)s, %(action)s, %(door)s, %(actor_name)s, jsonb_build_object(
        'owner', jsonb_build_array(%(names)s::jsonb -> was_id::text, %(names)s::jsonb -> owner_id::text),
        'owner_id', jsonb_build_array(was_id, owner_id))
    FROM wanted ORDER BY contact_id
)
