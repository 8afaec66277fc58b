SELECT (SELECT count(*) FROM compliance_compliancecard
        WHERE restricted_at IS NOT NULL
        AND contact_id NOT IN (SELECT DISTINCT contact_id FROM contacts_contactevent WHERE at >= %(moment)s))
    + (SELECT count(*) FROM ({states}) told
       WHERE (state->>'here')::boolean AND state->>'restricted_at' IS NOT NULL)
