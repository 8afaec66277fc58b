-- Cards whose history would break a rule of the card are left: scrubbing has removed the words that the rule needs.
WITH folded AS MATERIALIZED ({folded}), wrong AS MATERIALIZED (
    SELECT * FROM folded WHERE free AND here AND differs
    AND CASE WHEN authorization_type IN ({consents})
             THEN consent_date IS NOT NULL AND consent_purpose ~ '\S'
             ELSE consent_date IS NULL AND consent_purpose = '' END
    AND (authorization_other = '' OR authorization_type IS NOT DISTINCT FROM {other})
    AND (source_other = '' OR source_type IS NOT DISTINCT FROM {other_source})
), corrected AS (
    UPDATE compliance_compliancecard card
    SET ({columns}) = ROW({wrong}),
        version = version + 1, updated_at = now()
    FROM wrong WHERE card.contact_id = wrong.contact_id
)
INSERT INTO contacts_contactevent (contact_id, batch_id, actor_id, action, door, actor_name, changes)
SELECT contact_id, %(batch_id)s, %(actor_id)s, 'corrected', %(door)s, %(actor_name)s,
    {changes}
FROM wrong JOIN compliance_compliancecard card USING (contact_id) ORDER BY contact_id
