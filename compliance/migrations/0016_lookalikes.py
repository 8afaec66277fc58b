"""Addresses that look like one that said no: the mark on the card, kept by triggers whatever the door.

What an address looks like is known by a keyed hash of its own, and its lock is held as that of the address is: who
gives a person an address and who suppresses one that looks like it never pass each other.
"""

import django.contrib.postgres.fields
from django.db import migrations, models

from salesconnect.lib.database.sql import statement

# The mark of some people, set right. Who is unsubscribed has none: nothing is left to ask. `tells` adds an event where it changes; who creates a person tells it
# after the creation.
SEE = """
CREATE FUNCTION compliance_see_lookalikes(ids bigint[], tells boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM compliance_compliancecard WHERE contact_id = ANY(ids) ORDER BY contact_id FOR UPDATE;
    WITH seen AS MATERIALIZED (
        SELECT card.contact_id, NOT card.unsubscribed AND EXISTS (
            SELECT FROM compliance_suppression held
            WHERE held.skeleton_hash = person.skeleton_hash AND held.address_hash <> person.address_hash
            AND held.source <> 'bounce' AND held.id <> ALL (coalesce(card.told_apart_from, '{}'))
        ) AS looks
        FROM compliance_compliancecard card JOIN contacts_contact person ON person.id = card.contact_id
        WHERE card.contact_id = ANY(ids)
    ), changed AS (
        UPDATE compliance_compliancecard card
        SET looks_opted_out = seen.looks, version = card.version + tells::int, updated_at = now()
        FROM seen WHERE card.contact_id = seen.contact_id AND card.looks_opted_out <> seen.looks
        RETURNING card.contact_id, seen.looks
    )
    INSERT INTO contacts_contactevent (contact_id, action, door, actor_name, changes)
    SELECT contact_id, CASE WHEN looks THEN 'looked_alike' ELSE 'looked_apart' END, 'task', 'Sales Connect', '{}'
    FROM changed WHERE tells ORDER BY contact_id;
END $$;
"""

# Who brings the suppression of an address that somebody has need not know what the address looks like.
SUPPRESSIONS = """
CREATE FUNCTION compliance_skeleton_of_holder() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.skeleton_hash := (SELECT skeleton_hash FROM contacts_contact WHERE address_hash = NEW.address_hash LIMIT 1);
    RETURN NEW;
END $$;
CREATE TRIGGER suppression_skeleton BEFORE INSERT ON compliance_suppression
    FOR EACH ROW WHEN (NEW.skeleton_hash IS NULL) EXECUTE FUNCTION compliance_skeleton_of_holder();

CREATE FUNCTION compliance_suppressions_seen() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[] := ARRAY(
        SELECT person.id FROM suppressed CROSS JOIN LATERAL (
            SELECT id FROM contacts_contact alike
            WHERE alike.skeleton_hash = suppressed.skeleton_hash AND alike.address_hash <> suppressed.address_hash
            OFFSET 0
        ) person WHERE suppressed.skeleton_hash IS NOT NULL AND suppressed.source <> 'bounce'
    );
BEGIN
    IF cardinality(ids) > 0 THEN
        PERFORM compliance_see_lookalikes(ids, true);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER suppressions_seen AFTER INSERT ON compliance_suppression REFERENCING NEW TABLE AS suppressed
    FOR EACH STATEMENT EXECUTE FUNCTION compliance_suppressions_seen();

CREATE FUNCTION compliance_suppression_seen_anew() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    likeness uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.skeleton_hash ELSE NEW.skeleton_hash END;
BEGIN
    PERFORM compliance_see_lookalikes(ARRAY(SELECT id FROM contacts_contact WHERE skeleton_hash = likeness), true);
    RETURN NULL;
END $$;
CREATE TRIGGER suppression_seen_anew AFTER UPDATE ON compliance_suppression
    FOR EACH ROW WHEN (NEW.skeleton_hash IS NOT NULL
        AND (OLD.skeleton_hash IS NULL OR (OLD.source = 'bounce') <> (NEW.source = 'bounce')))
    EXECUTE FUNCTION compliance_suppression_seen_anew();
CREATE TRIGGER suppression_gone AFTER DELETE ON compliance_suppression
    FOR EACH ROW WHEN (OLD.skeleton_hash IS NOT NULL) EXECUTE FUNCTION compliance_suppression_seen_anew();
"""

# What somebody said of one address says nothing of another. The person may be the first who tells what a suppressed
# address looks like. A skeleton that only gets another hash key is the same.
PEOPLE = """
CREATE FUNCTION compliance_person_seen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE compliance_compliancecard SET told_apart_from = NULL
    WHERE contact_id = NEW.id AND told_apart_from IS NOT NULL AND OLD.email_key <> NEW.email_key;
    UPDATE compliance_suppression SET skeleton_hash = NEW.skeleton_hash
    WHERE address_hash = NEW.address_hash AND skeleton_hash IS NULL;
    PERFORM compliance_see_lookalikes(ARRAY[NEW.id], true);
    RETURN NULL;
END $$;
CREATE TRIGGER person_seen AFTER UPDATE OF email_key, skeleton_hash ON contacts_contact
    FOR EACH ROW WHEN (OLD.email_key <> NEW.email_key OR OLD.skeleton_hash IS NULL AND NEW.skeleton_hash IS NOT NULL)
    EXECUTE FUNCTION compliance_person_seen();

CREATE FUNCTION compliance_people_seen() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[];
BEGIN
    IF NOT EXISTS (SELECT FROM compliance_suppression) THEN
        RETURN NULL;
    END IF;
    UPDATE compliance_suppression held SET skeleton_hash = told.skeleton_hash
    FROM (
        SELECT known.id, person.skeleton_hash FROM created CROSS JOIN LATERAL (
            SELECT address_hash, skeleton_hash FROM contacts_contact WHERE id = created.contact_id OFFSET 0
        ) person CROSS JOIN LATERAL (
            SELECT id FROM compliance_suppression WHERE address_hash = person.address_hash AND skeleton_hash IS NULL
            OFFSET 0
        ) known WHERE person.skeleton_hash IS NOT NULL
    ) told WHERE held.id = told.id;
    ids := ARRAY(
        SELECT created.contact_id FROM created CROSS JOIN LATERAL (
            SELECT address_hash, skeleton_hash FROM contacts_contact WHERE id = created.contact_id OFFSET 0
        ) person CROSS JOIN LATERAL (
            SELECT FROM compliance_suppression
            WHERE skeleton_hash = person.skeleton_hash AND address_hash <> person.address_hash LIMIT 1
        ) alike
    );
    IF cardinality(ids) > 0 THEN
        PERFORM compliance_see_lookalikes(ids, false);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER people_seen AFTER INSERT ON compliance_compliancecard REFERENCING NEW TABLE AS created
    FOR EACH STATEMENT EXECUTE FUNCTION compliance_people_seen();
"""
# With an unsubscribe the mark goes, and the event of the one tells the other; a re-consent looks anew.
CARDS = """
CREATE FUNCTION compliance_no_longer_asked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.looks_opted_out := false;
    RETURN NEW;
END $$;
CREATE TRIGGER card_no_longer_asked BEFORE UPDATE OF unsubscribed ON compliance_compliancecard
    FOR EACH ROW WHEN (NEW.unsubscribed AND NEW.looks_opted_out) EXECUTE FUNCTION compliance_no_longer_asked();
CREATE FUNCTION compliance_asked_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM compliance_see_lookalikes(ARRAY[NEW.contact_id], true);
    RETURN NULL;
END $$;
CREATE TRIGGER card_asked_again AFTER UPDATE OF unsubscribed ON compliance_compliancecard
    FOR EACH ROW WHEN (OLD.unsubscribed AND NOT NEW.unsubscribed) EXECUTE FUNCTION compliance_asked_again();
"""
UNSEEN = """
DROP FUNCTION compliance_skeleton_of_holder, compliance_suppressions_seen, compliance_suppression_seen_anew,
    compliance_person_seen, compliance_people_seen, compliance_no_longer_asked, compliance_asked_again CASCADE;
DROP FUNCTION compliance_see_lookalikes;
"""


class Migration(migrations.Migration):
    dependencies = [("compliance", "0015_waiting_orders"), ("contacts", "0019_skeletons")]
    operations = [
        migrations.AddField("compliancecard", "looks_opted_out", models.BooleanField(db_default=False, default=False)),
        migrations.AddField(
            "compliancecard",
            "told_apart_from",
            django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), null=True, size=None),
        ),
        migrations.AddField("suppression", "skeleton_hash", models.UUIDField(null=True)),
        migrations.AddIndex(
            "suppression",
            models.Index(
                condition=models.Q(("skeleton_hash__isnull", False)),
                fields=["skeleton_hash"],
                name="suppression_by_skeleton",
            ),
        ),
        migrations.RunSQL(SEE + SUPPRESSIONS + PEOPLE + CARDS, UNSEEN),
        migrations.RunSQL(
            [statement(__file__, "sql/0016_suppress"), statement(__file__, "sql/0016_unsubscribe")],
            [
                "DROP FUNCTION compliance_suppress",
                statement(__file__, "sql/0010_suppress"),
                statement(__file__, "sql/0010_unsubscribe"),
            ],
        ),
    ]
