-- Present counts, less the people with events since the moment, plus the same people as they were at the moment.
WITH kinds AS (
    SELECT authorization_type::int, source_type::int, unsubscribed, consent_date, number FROM compliance_cardtally
    UNION ALL
    SELECT authorization_type, source_type, unsubscribed, consent_date, -1 FROM compliance_compliancecard
    WHERE contact_id IN (SELECT DISTINCT contact_id FROM contacts_contactevent WHERE at >= %(moment)s)
    UNION ALL
    SELECT array_position(%(grounds)s, state->>'authorization_type'),
        array_position(%(sources)s, state->>'source_type'),
        coalesce((state->>'unsubscribed')::boolean, false), (state->>'consent_date')::date, 1
    FROM ({states}) told WHERE (state->>'here')::boolean
)
SELECT authorization_type, source_type, unsubscribed, consent_date, sum(number)::bigint
FROM kinds GROUP BY 1, 2, 3, 4 HAVING sum(number) <> 0
