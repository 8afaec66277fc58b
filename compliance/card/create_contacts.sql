-- The unique index decides about an address: when two transactions create the same person at once, the later one waits
-- here and then marks its row as taken.
WITH created AS (
    INSERT INTO contacts_contact (id, owner_id, {details},
        email_key, address_hash, address_hash_key, skeleton_hash, {sort_keys})
    SELECT contact_id, %(owner)s, {details}, email_key, address_hash,
           CASE WHEN address_hash IS NULL THEN '' ELSE %(hash_key)s END, skeleton_hashes[1],
           {sort_keys}
    FROM incoming WHERE NOT taken ORDER BY line
    ON CONFLICT (email_key) WHERE NOT (email_key = '') DO NOTHING
    RETURNING id
)
UPDATE incoming SET taken = true WHERE NOT taken AND contact_id NOT IN (SELECT id FROM created)
