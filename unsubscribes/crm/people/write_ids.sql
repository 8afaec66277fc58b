WITH wanted AS MATERIALIZED (SELECT %(names)s::jsonb AS names), written AS (
    UPDATE contacts_contact SET salesforce_id = (SELECT names FROM wanted) -> id::text ->> 1
    WHERE id = ANY(%(ids)s) AND salesforce_id = (SELECT names FROM wanted) -> id::text ->> 0
    RETURNING id, (SELECT names FROM wanted) -> id::text ->> 0 AS old, salesforce_id AS new
), told AS (
    INSERT INTO contacts_contactevent (contact_id, batch_id, actor_id, action, door, actor_name, changes)
    SELECT id, %(batch_id)s, %(actor_id)s, 'edited', %(door)s, %(actor_name)s,
           jsonb_build_object('salesforce_id', jsonb_build_array(old, new)) FROM written ORDER BY id
), moved AS (
    UPDATE compliance_compliancecard SET version = version + 1, updated_at = now()
    WHERE contact_id = ANY(ARRAY(SELECT id FROM written))
), forgotten AS (
    UPDATE unsubscribes_syncrecord SET named_on = NULL
    WHERE sf_id = ANY(ARRAY(SELECT old FROM written WHERE old <> ''))
)
UPDATE unsubscribes_syncrecord
SET named_on = ((SELECT jsonb_object_agg(new, id) FROM written WHERE new <> '') ->> sf_id)::bigint
WHERE sf_id = ANY(ARRAY(SELECT new FROM written WHERE new <> ''))
