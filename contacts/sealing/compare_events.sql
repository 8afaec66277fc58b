-- Judge one window of event ids against its sealed leaves. Ids and times come from one statement, so they rise together:
-- an event more than an hour older than one with a lower id was slipped in; the hour allows for clocks that were set back.
WITH leaf AS MATERIALIZED (
    SELECT * FROM contacts_sealedleaf WHERE event_id > %(after)s AND event_id <= %(edge)s
), event AS MATERIALIZED (
    SELECT *, greatest(%(newest)s::timestamptz, max(at) OVER (ORDER BY id, at)) AS newest,
           row_number() OVER (PARTITION BY id ORDER BY at) AS copy
    FROM contacts_contactevent WHERE id > %(after)s AND id <= %(edge)s
), judged AS (
    SELECT coalesce(event_id, id) AS number, newest, event_id IS NULL AS unsealed, CASE
        WHEN id IS NULL THEN 'removed'
        WHEN copy > 1 OR event_id IS NULL AND id <= %(settled)s THEN 'slipped_in'
        WHEN event_id IS NOT NULL AND hash <> {hash} THEN 'changed'
        WHEN salt IS NOT NULL AND commitment <> {commitment} THEN 'changed'
        WHEN event_id IS NOT NULL AND salt IS NULL AND changes <> contacts_scrubbed(changes) THEN 'changed'
        WHEN event_id IS NOT NULL AND salt IS NULL AND NOT EXISTS (
            SELECT FROM contacts_contactevent act
            WHERE act.contact_id = joined.contact_id AND act.action IN ('deleted', 'scrubbed')
            AND act.at > joined.at - interval '1 hour'
        ) THEN 'scrubbed'
        WHEN at < newest - interval '1 hour' THEN 'slipped_in'
    END AS problem
    FROM (SELECT * FROM event FULL JOIN leaf ON event_id = id) joined
)
SELECT count(*), count(*) FILTER (WHERE unsealed), max(newest), min(number) FILTER (WHERE problem IS NOT NULL),
       (SELECT problem FROM judged WHERE problem IS NOT NULL ORDER BY number LIMIT 1)
FROM judged
