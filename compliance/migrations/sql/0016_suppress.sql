-- As before; and what the addresses look like is held and stored with them.
DROP FUNCTION compliance_suppress;
CREATE FUNCTION compliance_suppress(
    hashes uuid[], the_key text, the_source text, the_reason text, is_said boolean, skeletons uuid[] DEFAULT '{}'
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM compliance_hold_addresses(hashes || skeletons);
    
        INSERT INTO compliance_suppression AS held (address_hash, hash_key, reason, source, said_at, skeleton_hash)
        SELECT DISTINCT ON (hash) hash, key, the_reason, the_source, clock_timestamp(), skeleton
        FROM (SELECT hash, the_key, skeleton FROM unnest(hashes, skeletons) AS listed (hash, skeleton)) AS given (hash, key, skeleton) WHERE hash IS NOT NULL ORDER BY hash, skeleton
        ON CONFLICT (address_hash) DO UPDATE SET
            said_at = CASE WHEN is_said THEN EXCLUDED.said_at ELSE held.said_at END,
            skeleton_hash = coalesce(held.skeleton_hash, EXCLUDED.skeleton_hash),
            (reason, source) = ROW(
                CASE WHEN held.source = 'bounce' THEN EXCLUDED.reason ELSE held.reason END,
                CASE WHEN held.source = 'bounce' THEN EXCLUDED.source ELSE held.source END)
        WHERE is_said OR held.source = 'bounce' AND EXCLUDED.source <> 'bounce'
            OR held.skeleton_hash IS NULL AND EXCLUDED.skeleton_hash IS NOT NULL
;
END $$;
