SELECT card.contact_id, card.unsubscribed, card.restricted_at IS NULL AS free,
    coalesce((state->>'here')::boolean, false) AS here,
    coalesce((state->>'unsubscribed')::boolean, false) AS said_no, state->>'said_source' AS said_source,
    ({card})
        IS DISTINCT FROM ({told}) AS differs,
    {told}
FROM compliance_compliancecard card
LEFT JOIN ({states}) folded (number, state) ON folded.number = card.contact_id
CROSS JOIN LATERAL (SELECT
    array_position(%(grounds)s, state->>'authorization_type')::smallint AS authorization_type,
    {authorization_other}, (state->>'consent_date')::date AS consent_date, {consent_purpose},
    array_position(%(sources)s, state->>'source_type')::smallint AS source_type, {source_other}
) told
WHERE {which}
