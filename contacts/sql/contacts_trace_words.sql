-- Words without regard to case, and of a telephone number the digits that tell it from others, whatever stands before
-- and between them. Both sides of a search go through this function, so they always agree. It calls only what every
-- search path finds: a restore runs it with an empty one.
CREATE OR REPLACE FUNCTION contacts_trace_words(given jsonb[], more text)
RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT word), '{}') FROM (
        SELECT coalesce(more, '') AS text
        UNION ALL SELECT value #>> '{}' FROM unnest(given) AS each, jsonb_path_query(each, 'strict $.**') AS value
        WHERE jsonb_typeof(value) = 'string'
    ) AS texts CROSS JOIN LATERAL (
        SELECT word FROM regexp_split_to_table(
            replace(replace(lower(text), 'ß', 'ss'), 'ς', 'σ'), '[^[:alnum:]]+') AS word WHERE word <> ''
        UNION ALL
        SELECT '#' || right(digits, 7) FROM (
            SELECT regexp_replace(found[1], '\D', '', 'g') AS digits
            FROM regexp_matches(text, '(\+?\d[\d\s()./-]{5,}\d)', 'g') AS found
        ) AS numbers WHERE length(digits) >= 7
    ) AS words
$$;
