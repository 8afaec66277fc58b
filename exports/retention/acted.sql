WITH RECURSIVE heirs (gone, kept) AS (
    SELECT absorbed_id, survivor_id FROM contacts_merge WHERE undone_at IS NULL
    UNION SELECT gone, survivor_id FROM heirs JOIN contacts_merge ON absorbed_id = kept WHERE undone_at IS NULL
), acted (id) AS (
    SELECT contact_id FROM contacts_contactevent
    WHERE at >= '{moment}' AND at < '{tomorrow}' AND (
        action = 'unsubscribed' AND changes->'source'->>1 IN ({sources})
        OR changes->'consent_date'->>1 >= '{day}') {events_of}
    UNION SELECT contact_id FROM exports_datarequest
        WHERE received >= '{day}' AND contact_id IS NOT NULL {rows_of}
    UNION SELECT contact_id FROM compliance_compliancecard WHERE consent_date >= '{day}' {rows_of}
    UNION SELECT contact_id FROM compliance_suppression said
        JOIN (SELECT id AS contact_id, address_hash FROM contacts_contact) AS contact USING (address_hash)
        WHERE said.said_at >= '{moment}' AND said.source IN ({sources}) {rows_of}
) SELECT id FROM acted UNION SELECT kept FROM acted JOIN heirs ON gone = id
