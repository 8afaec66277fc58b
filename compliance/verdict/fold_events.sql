-- `asked` is any query of (number, contact_id, moment): which state is wanted, of whom, and when. `among` says the same
-- of `event.contact_id`, as far as that keeps the query off other people's events.
WITH asked (number, contact_id, moment) AS MATERIALIZED ({asked})
SELECT number, jsonb_object_agg(word.key, word.value ORDER BY told.at, told.id) AS state
FROM (
    SELECT asked.number, event.id, event.at, {told} AS words
    FROM asked JOIN contacts_contactevent event
        ON event.contact_id = asked.contact_id AND event.at <= asked.moment AND event.at <= %(until)s
        AND event.action = ANY(%(actions)s) AND {among}
) told CROSS JOIN LATERAL jsonb_each(told.words) word
GROUP BY number
