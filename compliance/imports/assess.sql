-- Blank cells say nothing. A mapped column overwrites; the values for all rows (parameters) only fill what is not
-- recorded. People whose processing is restricted are left alone, but for a "no", which is always taken.
DROP TABLE IF EXISTS pg_temp.rows_read;
ALTER TABLE incoming RENAME TO rows_read;
CREATE TEMPORARY TABLE incoming ON COMMIT DROP AS
WITH met AS (
    SELECT row.line, {row_details}, row.opted_out, row.opt_out_reason,
           type.authorization_type, {authorization_other} authorization_other,
           CASE WHEN type.authorization_type IN ({consents})
                THEN coalesce(row.consent_date, old.consent_date, %(consent_date)s) END AS consent_date,
           {consent_purpose} AS consent_purpose,
           type.source_type, {source_other} AS source_other,
           known.id AS contact_id, old.version, coalesce(old.unsubscribed, false) AS unsubscribed,
           coalesce(old.authorization_type IN ({consents}), false) AS consented,
           old.restricted_at IS NOT NULL AS restricted,
           row.consent_date IS NOT NULL OR row.consent_purpose <> '' AS says_consent,
           row.authorization_other <> '' AS says_authorization_other, row.source_other <> '' AS says_source_other,
           known.id IS NOT NULL AND ({edits}) AS edits,
           {old_card}
    FROM rows_read row
    LEFT JOIN contacts_contact known ON known.email_key = row.email_key AND NOT (known.email_key = '')
    LEFT JOIN compliance_compliancecard old ON old.contact_id = known.id
    CROSS JOIN LATERAL (SELECT
        coalesce(row.authorization_type, old.authorization_type, %(authorization_type)s) AS authorization_type,
        coalesce(row.source_type, old.source_type, %(source_type)s,
                 CASE WHEN known.id IS NULL THEN {from_import}::smallint END) AS source_type
    ) type
), judged AS (
    SELECT *,
        CASE WHEN restricted THEN 'restricted'
             WHEN contact_id IS NULL AND EXISTS (
                 SELECT FROM compliance_erasedaddress e
                 WHERE e.address_hash = ANY (met.address_hashes) AND e.until > now()) THEN 'erased'
             WHEN authorization_type IN ({consents}) AND consent_date IS NULL THEN 'consent_date'
             WHEN authorization_type IN ({consents}) AND consent_purpose = '' THEN 'consent_purpose'
             WHEN says_consent AND (authorization_type IN ({consents})) IS NOT TRUE THEN 'no_consent'
             WHEN says_authorization_other AND authorization_type IS DISTINCT FROM {other} THEN 'not_other'
             WHEN says_source_other AND source_type IS DISTINCT FROM {other_source} THEN 'not_other'
        END AS reason,
        contact_id IS NOT NULL AND ({authorization})
            IS DISTINCT FROM ({old_authorization}) AS authorises,
        contact_id IS NOT NULL AND ({source})
            IS DISTINCT FROM ({old_source}) AS sources,
        contact_id IS NOT NULL AND opted_out AND NOT unsubscribed AS opts_out
    FROM met
)
SELECT line, {details}, {kept_card}, opted_out, opt_out_reason, contact_id, version, reason,
       NOT restricted AND edits AS edits, NOT restricted AND authorises AS authorises,
       NOT restricted AND sources AS sources, opts_out,
       reason IS NULL AND (edits OR authorises OR sources OR opts_out) OR restricted AND opts_out AS changes,
       consented AND authorization_type NOT IN ({consents}) AS ends_consent,
       contact_id IS NOT NULL OR reason IS NOT NULL AS taken,
       unsubscribed OR opted_out OR contact_id IS NULL AND EXISTS (
           SELECT FROM compliance_suppression s
           WHERE s.address_hash = ANY (judged.address_hashes || judged.folded_hashes)
           AND (s.folded OR s.address_hash = ANY (judged.address_hashes))
       ) AS suppressed
FROM judged
