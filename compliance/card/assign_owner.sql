WITH wanted AS MATERIALIZED (
    SELECT id AS contact_id, owner_id AS was_id, %(owner)s::bigint AS owner_id
    FROM contacts_contact WHERE id = ANY(%(ids)s) AND owner_id IS DISTINCT FROM %(owner)s::bigint
), {change}
SELECT count(*) FROM wanted
