UPDATE compliance_compliancecard card SET
    {columns},
    sort_last = CASE WHEN i.last_name = '' OR NOT i.edits THEN card.sort_last ELSE i.sort_last END,
    sort_first = CASE WHEN i.first_name = '' OR NOT i.edits THEN card.sort_first ELSE i.sort_first END,
    basis_since = CASE WHEN i.authorises THEN %(today)s::date ELSE card.basis_since END,
    reviewed_on = CASE WHEN NOT i.authorises THEN card.reviewed_on END,
    unsubscribed = card.unsubscribed OR i.opted_out, version = card.version + 1, updated_at = now()
FROM incoming i WHERE i.changes AND card.contact_id = i.contact_id
