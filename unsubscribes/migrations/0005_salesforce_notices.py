"""Every "no" leaves a notice for Salesforce in its own transaction, whatever the way it came in.

The condition stands in the triggers, so that other changes of a card cost nothing. A bounce suppresses here alone.
"""

from django.db import migrations

NOTICES = """
CREATE FUNCTION unsubscribes_notice_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO unsubscribes_syncnotice (contact_id) VALUES (NEW.contact_id);
    RETURN NULL;
END $$;
CREATE TRIGGER card_tells_of_a_new_no AFTER INSERT ON compliance_compliancecard
    FOR EACH ROW WHEN (NEW.unsubscribed) EXECUTE FUNCTION unsubscribes_notice_person();
CREATE TRIGGER card_tells_of_a_no AFTER UPDATE OF unsubscribed ON compliance_compliancecard
    FOR EACH ROW WHEN (NEW.unsubscribed AND NOT OLD.unsubscribed) EXECUTE FUNCTION unsubscribes_notice_person();

CREATE FUNCTION unsubscribes_notice_address() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO unsubscribes_syncnotice (address_hash) VALUES (NEW.address_hash);
    RETURN NULL;
END $$;
CREATE TRIGGER suppression_tells_of_a_new_no AFTER INSERT ON compliance_suppression
    FOR EACH ROW WHEN (NEW.source <> 'bounce') EXECUTE FUNCTION unsubscribes_notice_address();
CREATE TRIGGER suppression_tells_of_a_no AFTER UPDATE OF said_at, source ON compliance_suppression
    FOR EACH ROW WHEN (NEW.source <> 'bounce' AND (NEW.said_at <> OLD.said_at OR NEW.source <> OLD.source))
    EXECUTE FUNCTION unsubscribes_notice_address();
"""
SILENCE = "DROP FUNCTION unsubscribes_notice_person, unsubscribes_notice_address CASCADE"


class Migration(migrations.Migration):
    dependencies = [("unsubscribes", "0004_salesforce"), ("compliance", "0003_said_again")]
    operations = [migrations.RunSQL(NOTICES, SILENCE)]
