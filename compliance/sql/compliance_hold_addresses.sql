-- Lock addresses until the transaction ends: a row stands for a lock only while it is being inserted, and none is ever
-- committed. In the order of the hashes, so that nobody waits in a circle; see compliance.suppression.address_locks.
CREATE OR REPLACE FUNCTION compliance_hold_addresses(hashes uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO compliance_addresslock
    SELECT DISTINCT hash FROM unnest(hashes) AS given (hash) WHERE hash IS NOT NULL ORDER BY hash;
    DELETE FROM compliance_addresslock WHERE address_hash = ANY(hashes);
END $$;
