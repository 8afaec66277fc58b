UPDATE compliance_compliancecard card
SET looks_opted_out = false, version = version + 1, updated_at = now(), told_apart_from = ARRAY(
    SELECT held.id FROM contacts_contact person JOIN compliance_suppression held
        ON held.skeleton_hash = person.skeleton_hash AND held.address_hash <> person.address_hash
        AND held.source <> 'bounce'
    WHERE person.id = card.contact_id
)
WHERE contact_id = %(id)s AND looks_opted_out
