INSERT INTO compliance_compliancecard (
    contact_id, version, unsubscribed, basis_since, sort_last, sort_first, {columns})
SELECT contact_id, 1,
       opted_out OR EXISTS (SELECT FROM compliance_suppression s WHERE s.address_hash = incoming.address_hash),
       CASE WHEN authorization_type IS NOT NULL THEN %(today)s::date END, sort_last, sort_first, {columns}
FROM incoming WHERE NOT taken ORDER BY line
