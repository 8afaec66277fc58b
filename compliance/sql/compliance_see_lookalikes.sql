-- Set the mark of some people right. Who is unsubscribed has none: nothing is left to ask. `tells` adds an event where
-- it changes; who creates a person tells it after the creation.
CREATE OR REPLACE FUNCTION compliance_see_lookalikes(ids bigint[], tells boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM compliance_compliancecard WHERE contact_id = ANY(ids) ORDER BY contact_id FOR UPDATE;
    WITH seen AS MATERIALIZED (
        SELECT card.contact_id, NOT card.unsubscribed AND EXISTS (
            SELECT FROM compliance_suppression held
            WHERE held.skeleton_hash = person.skeleton_hash AND held.address_hash <> person.address_hash
            AND held.source <> 'bounce' AND held.id <> ALL (coalesce(card.told_apart_from, '{}'))
        ) AS looks
        FROM compliance_compliancecard card JOIN contacts_contact person ON person.id = card.contact_id
        WHERE card.contact_id = ANY(ids)
    ), changed AS (
        UPDATE compliance_compliancecard card
        SET looks_opted_out = seen.looks, version = card.version + tells::int, updated_at = now()
        FROM seen WHERE card.contact_id = seen.contact_id AND card.looks_opted_out <> seen.looks
        RETURNING card.contact_id, seen.looks
    )
    INSERT INTO contacts_contactevent (contact_id, action, door, actor_name, changes)
    SELECT contact_id, CASE WHEN looks THEN 'looked_alike' ELSE 'looked_apart' END, 'task', 'Sales Connect', '{}'
    FROM changed WHERE tells ORDER BY contact_id;
END $$;
