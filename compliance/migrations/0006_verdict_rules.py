"""What the database itself keeps: versions of the policy and notes stay as they are, restricted cards too."""

from django.db import migrations

# Who a version is by may be forgotten with the account; the name stays.
VERSIONS = """
CREATE FUNCTION compliance_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        OLD.user_id := NEW.user_id;
        IF NEW IS NOT DISTINCT FROM OLD THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'What was in force stays on record: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER policy_stays BEFORE UPDATE OR DELETE ON compliance_policy
    FOR EACH ROW EXECUTE FUNCTION compliance_refuse_change();
"""
RESTRICTED = """
CREATE FUNCTION compliance_refuse_restricted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Processing is restricted: a change of the card of person % refused', OLD.contact_id
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER card_is_restricted BEFORE UPDATE OF authorization_type, authorization_other, consent_date,
    consent_purpose, source_type, source_other ON compliance_compliancecard
    FOR EACH ROW WHEN (OLD.restricted_at IS NOT NULL AND NEW.restricted_at IS NOT NULL
        AND (OLD.authorization_type, OLD.authorization_other, OLD.consent_date, OLD.consent_purpose, OLD.source_type,
             OLD.source_other)
        IS DISTINCT FROM (NEW.authorization_type, NEW.authorization_other, NEW.consent_date, NEW.consent_purpose,
             NEW.source_type, NEW.source_other))
    EXECUTE FUNCTION compliance_refuse_restricted();
"""
# When the basis of people who are here was recorded last; who never changed it has it since the creation.
BASIS = """
UPDATE compliance_compliancecard card SET basis_since = coalesce((
    SELECT max(at) FROM contacts_contactevent event
    WHERE event.contact_id = card.contact_id AND event.action = 'authorization'
), contact.created_at)::date
FROM contacts_contact contact WHERE contact.id = card.contact_id AND card.authorization_type IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies = [("compliance", "0005_verdict"), ("contacts", "0003_merge")]
    operations = [
        migrations.RunSQL(VERSIONS, "DROP FUNCTION compliance_refuse_change CASCADE"),
        migrations.RunSQL(RESTRICTED, "DROP FUNCTION compliance_refuse_restricted CASCADE"),
        migrations.RunSQL(BASIS, migrations.RunSQL.noop),
    ]
