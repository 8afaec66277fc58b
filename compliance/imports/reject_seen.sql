-- The first row of an address counts, in this chunk or an earlier one; a rejected row does not make it taken. Who was
-- deleted since the import began is not brought back, unless somebody else did so meanwhile.
UPDATE incoming SET reason = 'erased', taken = true WHERE line = ANY(ARRAY(
    SELECT line FROM incoming CROSS JOIN unnest(address_hashes) AS own (hash) CROSS JOIN LATERAL (
        SELECT erased FROM compliance_importseen WHERE job_id = %(job)s AND address_hash = own.hash OFFSET 0
    ) s
    WHERE contact_id IS NULL AND reason IS NULL AND s.erased
    AND EXISTS (SELECT FROM compliance_importseen WHERE job_id = %(job)s AND erased)
));
WITH met AS (
    INSERT INTO compliance_importseen AS seen (job_id, address_hash)
    SELECT DISTINCT %(job)s::bigint, address_hash FROM incoming
    WHERE reason IS NULL AND address_hash IS NOT NULL ORDER BY address_hash
    ON CONFLICT (job_id, address_hash) DO UPDATE SET erased = false WHERE seen.erased RETURNING address_hash
)
UPDATE incoming SET reason = 'duplicate', taken = true, changes = false
WHERE reason IS NULL AND address_hash IS NOT NULL AND (
    address_hash NOT IN (SELECT address_hash FROM met) OR line NOT IN (
        SELECT min(line) FROM incoming WHERE reason IS NULL AND address_hash IS NOT NULL GROUP BY address_hash
    )
);
UPDATE incoming SET changes = false WHERE reason = 'restricted' AND changes AND line NOT IN (
    SELECT min(line) FROM incoming WHERE reason = 'restricted' AND changes GROUP BY contact_id
)
