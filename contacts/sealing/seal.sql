-- Of two events with one number, which nobody here writes, the second is left for the verification to find.
WITH open AS MATERIALIZED (
    SELECT *, gen_random_uuid() AS salt FROM (
        SELECT DISTINCT ON (id) * FROM contacts_contactevent
        WHERE id > %(after)s AND NOT EXISTS (SELECT FROM contacts_sealedleaf WHERE event_id = id)
        ORDER BY id, at LIMIT %(piece)s
    ) found
), committed AS MATERIALIZED (SELECT *, {commitment} AS commitment FROM open)
INSERT INTO contacts_sealedleaf (event_id, seal_number, position, salt, commitment, hash)
SELECT id, %(number)s, row_number() OVER (ORDER BY id) - 1, salt, commitment, {hash} FROM committed
RETURNING position, hash, event_id
