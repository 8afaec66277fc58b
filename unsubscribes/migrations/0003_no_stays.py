"""The last line of defence: no statement turns an opt-out into an opt-in but that of a re-consent.

`unsubscribes.evidence.reconsent` names the person and the addresses for the length of its transaction; anything else that clears
the mark or deletes a suppression is refused. A whole row of a card may go, as people do. The one other change is that
of a suppression to another hash key, for the same address.
"""

from django.db import migrations

REFUSALS = """
CREATE FUNCTION unsubscribes_refuse_opt_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.contact_id::text = current_setting('salesconnect.reconsent_contact', true) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'Only a re-consent removes an unsubscribe: refused for person %', OLD.contact_id
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER card_keeps_the_no BEFORE UPDATE OF unsubscribed ON compliance_compliancecard
    FOR EACH ROW WHEN (OLD.unsubscribed AND NOT NEW.unsubscribed) EXECUTE FUNCTION unsubscribes_refuse_opt_in();

CREATE FUNCTION unsubscribes_refuse_release() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.address_hash::text = ANY (
        string_to_array(current_setting('salesconnect.reconsent_addresses', true), ',')
    ) THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    RAISE EXCEPTION 'Only a re-consent releases an address: % of a suppression refused', TG_OP
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER suppression_stays BEFORE DELETE ON compliance_suppression
    FOR EACH ROW EXECUTE FUNCTION unsubscribes_refuse_release();
CREATE TRIGGER suppression_keeps_its_address BEFORE UPDATE OF address_hash ON compliance_suppression
    FOR EACH ROW WHEN (NEW.address_hash <> OLD.address_hash AND NEW.hash_key = OLD.hash_key)
    EXECUTE FUNCTION unsubscribes_refuse_release();
"""
PERMISSION = "DROP FUNCTION unsubscribes_refuse_opt_in, unsubscribes_refuse_release CASCADE"


class Migration(migrations.Migration):
    dependencies = [("unsubscribes", "0002_evidence"), ("compliance", "0003_said_again")]
    operations = [migrations.RunSQL(REFUSALS, PERMISSION)]
