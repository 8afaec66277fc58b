WITH old AS (
    SELECT id FROM contacts_batch WHERE names_kept AND finished_at < %(before)s
    ORDER BY finished_at LIMIT 20000 FOR UPDATE SKIP LOCKED
), forgotten AS (
    UPDATE contacts_batch b SET names_kept = false, params = (
        SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(b.params) WHERE key = ANY(%(params)s)
    ), selection = CASE WHEN b.selection ? 'filter' THEN jsonb_set(b.selection, ARRAY['filter'], (
        SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(b.selection->'filter')
        WHERE key = ANY(%(filters)s))) || CASE WHEN EXISTS (
            SELECT FROM jsonb_object_keys(b.selection->'filter') AS key WHERE key <> ALL(%(filters)s)
        ) THEN '{"forgotten": true}' ELSE '{}' END::jsonb ELSE b.selection END
    FROM old WHERE b.id = old.id RETURNING b.id, b.params
), chunks AS (
    DELETE FROM contacts_batchchunk WHERE batch_id IN (
        SELECT id FROM forgotten WHERE coalesce(params->>'reason', '') = '')
) SELECT count(*) FROM forgotten
