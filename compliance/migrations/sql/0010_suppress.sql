CREATE OR REPLACE FUNCTION compliance_suppress(
    hashes uuid[], the_key text, the_source text, the_reason text, is_said boolean
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM compliance_hold_addresses(hashes);
    
        INSERT INTO compliance_suppression AS held (address_hash, hash_key, reason, source, said_at)
        SELECT DISTINCT ON (hash) hash, key, the_reason, the_source, clock_timestamp()
        FROM (SELECT unnest(hashes), the_key) AS given (hash, key) WHERE hash IS NOT NULL ORDER BY hash
        ON CONFLICT (address_hash) DO UPDATE SET
            said_at = CASE WHEN is_said THEN EXCLUDED.said_at ELSE held.said_at END,
            (reason, source) = ROW(
                CASE WHEN held.source = 'bounce' THEN EXCLUDED.reason ELSE held.reason END,
                CASE WHEN held.source = 'bounce' THEN EXCLUDED.source ELSE held.source END)
        WHERE is_said OR held.source = 'bounce' AND EXCLUDED.source <> 'bounce'
;
END $$;
