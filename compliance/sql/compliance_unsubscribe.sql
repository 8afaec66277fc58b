-- Opt people out, and whoever has one of the addresses: cards, suppressions and events in one statement. The cards of
-- all whom the opt-out reaches, and of those who look like them, are locked in the one order before any is changed. An
-- address comes with its hash under every key, the newest first, which is the one that is stored. `is_of_mail` says
-- that `ids` are those to whom a mail was written; the history of those who have another address by now says so.
-- `holders` are those who have the address.
--
-- Each statement finds its rows by an index whatever it is given, so one plan serves all calls of a connection; to plan
-- for the values of each call takes PostgreSQL longer than all the rest. Without sequential scans that plan is also
-- right where it was made while the tables were small.
CREATE OR REPLACE FUNCTION compliance_unsubscribe(
    ids bigint[], the_hashes uuid[], the_key text, the_source text, the_reason text, is_said boolean,
    the_batch bigint, the_actor bigint, the_door text, the_actor_name text, the_skeleton uuid DEFAULT NULL,
    is_of_mail boolean DEFAULT false,
    OUT people bigint[], OUT changed bigint, OUT is_new boolean, OUT holders bigint[]
) LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    likenesses uuid[];
    later uuid[];
    alike bigint[];
BEGIN
    likenesses := the_skeleton || ARRAY(
        SELECT skeleton_hash FROM contacts_contact WHERE id = ANY(ids)
        UNION SELECT skeleton_hash FROM contacts_contact WHERE address_hash = ANY(the_hashes)
    );
    PERFORM compliance_hold_addresses(the_hashes || likenesses);
    IF cardinality(the_hashes) > 0 THEN
        ids := ids || ARRAY(SELECT id FROM contacts_contact WHERE address_hash = ANY(the_hashes));
    END IF;
    alike := ARRAY(
        SELECT id FROM contacts_contact WHERE skeleton_hash = ANY(likenesses) EXCEPT SELECT unnest(ids)
    );
    IF cardinality(alike) > 0 THEN
        PERFORM FROM compliance_compliancecard WHERE contact_id = ANY(ids || alike) ORDER BY contact_id FOR UPDATE;
    END IF;
    people := ARRAY(
        SELECT contact_id FROM compliance_compliancecard WHERE contact_id = ANY(ids) ORDER BY contact_id FOR UPDATE
    );
    holders := ARRAY(
        SELECT id FROM contacts_contact WHERE id = ANY(people) AND address_hash = ANY(the_hashes) ORDER BY id
    );
    later := ARRAY(
        SELECT skeleton_hash FROM contacts_contact WHERE id = ANY(people) AND skeleton_hash IS NOT NULL
        EXCEPT SELECT unnest(likenesses)
    );
    IF cardinality(later) > 0 THEN
        PERFORM compliance_hold_addresses(later);
    END IF;
    WITH suppressed AS (
        INSERT INTO compliance_suppression AS held (address_hash, hash_key, reason, source, said_at, skeleton_hash)
        SELECT DISTINCT ON (hash) hash, key, the_reason, the_source, clock_timestamp(), skeleton
        FROM (
            SELECT address_hash, address_hash_key, skeleton_hash FROM contacts_contact WHERE id = ANY(people)
            UNION ALL SELECT the_hashes[1], the_key, the_skeleton
        ) AS given (hash, key, skeleton) WHERE hash IS NOT NULL ORDER BY hash, skeleton
        ON CONFLICT (address_hash) DO UPDATE SET
            said_at = CASE WHEN is_said THEN EXCLUDED.said_at ELSE held.said_at END,
            skeleton_hash = coalesce(held.skeleton_hash, EXCLUDED.skeleton_hash),
            (reason, source) = ROW(
                CASE WHEN held.source = 'bounce' THEN EXCLUDED.reason ELSE held.reason END,
                CASE WHEN held.source = 'bounce' THEN EXCLUDED.source ELSE held.source END)
        WHERE is_said OR held.source = 'bounce' AND EXCLUDED.source <> 'bounce'
            OR held.skeleton_hash IS NULL AND EXCLUDED.skeleton_hash IS NOT NULL
        RETURNING address_hash, held.xmax = 0 AS never_held
    ), said AS (
        UPDATE compliance_compliancecard card
        SET unsubscribed = true, version = card.version + 1,
            updated_at = CASE WHEN old.unsubscribed THEN card.updated_at ELSE now() END
        FROM compliance_compliancecard old
        WHERE card.contact_id = ANY(people) AND old.contact_id = card.contact_id AND (is_said OR NOT old.unsubscribed)
        RETURNING card.contact_id, old.unsubscribed AS already
    ), logged AS (
        INSERT INTO contacts_contactevent (contact_id, batch_id, actor_id, action, door, actor_name, changes)
        SELECT contact_id, the_batch, the_actor, 'unsubscribed', the_door, the_actor_name,
               jsonb_build_object('source', jsonb_build_array(NULL, the_source),
                                  'reason', jsonb_build_array(NULL, the_reason))
               || CASE WHEN is_of_mail AND contact_id <> ALL(holders)
                  THEN jsonb_build_object('earlier_address', jsonb_build_array(NULL, true)) ELSE '{}' END
        FROM said WHERE NOT already ORDER BY contact_id
    )
    SELECT (SELECT count(*) FROM said WHERE NOT already),
           EXISTS (SELECT FROM suppressed WHERE never_held AND address_hash = the_hashes[1])
    INTO changed, is_new;
END $$;
