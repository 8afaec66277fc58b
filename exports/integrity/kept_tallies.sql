-- One statement has one snapshot, so cards and tally are compared at the same moment, whoever writes meanwhile.
SELECT authorization_type, source_type, unsubscribed, consent_date, sum(number)::bigint AS number FROM (
    SELECT authorization_type, source_type, unsubscribed, consent_date, count(*) AS number
    FROM compliance_compliancecard GROUP BY authorization_type, source_type, unsubscribed, consent_date
    UNION ALL SELECT authorization_type, source_type, unsubscribed, consent_date, -number FROM compliance_cardtally
) both_ways GROUP BY authorization_type, source_type, unsubscribed, consent_date HAVING sum(number) <> 0
