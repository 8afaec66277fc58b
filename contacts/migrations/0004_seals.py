"""Seals over the history: append-only as the history itself."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

TABLES = """
CREATE TABLE contacts_seal (
    number bigint PRIMARY KEY,
    events integer NOT NULL CHECK (events > 0),
    tree bytea NOT NULL,
    previous bytea NOT NULL,
    settled bigint NOT NULL,
    sealed_at timestamptz NOT NULL,
    root bytea NOT NULL
);
CREATE TABLE contacts_sealedleaf (
    event_id bigint PRIMARY KEY,
    seal_number bigint NOT NULL,
    position integer NOT NULL,
    salt uuid,
    commitment bytea NOT NULL,
    hash bytea NOT NULL,
    UNIQUE (seal_number, position)
);
"""

# The one change of a leaf: the salt goes with the values of its event.
REFUSAL = """
CREATE FUNCTION contacts_refuse_seal_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'contacts_sealedleaf' THEN
        OLD.salt := NULL;
        IF NEW IS NOT DISTINCT FROM OLD THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'Seals are append-only: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER seal_append_only BEFORE UPDATE OR DELETE ON contacts_seal
    FOR EACH ROW EXECUTE FUNCTION contacts_refuse_seal_change();
CREATE TRIGGER seal_no_truncate BEFORE TRUNCATE ON contacts_seal
    FOR EACH STATEMENT EXECUTE FUNCTION contacts_refuse_seal_change();
CREATE TRIGGER sealedleaf_append_only BEFORE UPDATE OR DELETE ON contacts_sealedleaf
    FOR EACH ROW EXECUTE FUNCTION contacts_refuse_seal_change();
CREATE TRIGGER sealedleaf_no_truncate BEFORE TRUNCATE ON contacts_sealedleaf
    FOR EACH STATEMENT EXECUTE FUNCTION contacts_refuse_seal_change();
"""

# Scrubs share a lock that sealing takes alone for its short transactions: so no event is sealed with a salt for values
# that are going at that moment. Nobody else ever waits for it.
SCRUB = """
CREATE FUNCTION contacts_scrub_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext('contacts_seal'));
    RETURN NULL;
END $$;
CREATE FUNCTION contacts_take_salts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE contacts_sealedleaf leaf SET salt = NULL FROM before
    WHERE leaf.event_id = before.id AND salt IS NOT NULL AND before.changes <> contacts_scrubbed(before.changes);
    RETURN NULL;
END $$;
CREATE TRIGGER contactevent_scrub_begins BEFORE UPDATE ON contacts_contactevent
    FOR EACH STATEMENT EXECUTE FUNCTION contacts_scrub_begins();
CREATE TRIGGER contactevent_scrub_takes_salts AFTER UPDATE ON contacts_contactevent
    REFERENCING OLD TABLE AS before FOR EACH STATEMENT EXECUTE FUNCTION contacts_take_salts();
"""
NO_SCRUB = """
DROP TRIGGER contactevent_scrub_begins ON contacts_contactevent;
DROP TRIGGER contactevent_scrub_takes_salts ON contacts_contactevent;
DROP FUNCTION contacts_scrub_begins, contacts_take_salts
"""


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0003_merge"),
    ]

    operations = [
        migrations.CreateModel(
            name="Seal",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("events", models.PositiveIntegerField()),
                ("tree", models.BinaryField()),
                ("previous", models.BinaryField()),
                ("settled", models.BigIntegerField()),
                ("sealed_at", models.DateTimeField()),
                ("root", models.BinaryField()),
            ],
            options={
                "ordering": ["number"],
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="SealedLeaf",
            fields=[
                ("event_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("seal_number", models.BigIntegerField()),
                ("position", models.PositiveIntegerField()),
                ("salt", models.UUIDField(null=True)),
                ("commitment", models.BinaryField()),
                ("hash", models.BinaryField()),
            ],
            options={
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="SealHorizon",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reached", models.BigIntegerField(default=0)),
                (
                    "writers",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), default=list, size=None
                    ),
                ),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("pk", 1)), name="seal_horizon_one_row")],
            },
        ),
        migrations.CreateModel(
            name="Verification",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("actor_name", models.CharField(max_length=150)),
                ("started_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("heartbeat_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("finished_at", models.DateTimeField(null=True)),
                ("after_event", models.BigIntegerField(null=True)),
                ("events_done", models.BooleanField(default=False)),
                ("after_seal", models.BigIntegerField(default=0)),
                ("newest_at", models.DateTimeField(null=True)),
                ("events", models.BigIntegerField(default=0)),
                ("unsealed", models.BigIntegerField(default=0)),
                ("good", models.BooleanField(null=True)),
                (
                    "problem",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("changed", "This event was changed."),
                            ("removed", "This event was removed."),
                            ("slipped_in", "This event was slipped in."),
                            ("scrubbed", "The values of this event were erased without an act that erased the person."),
                            ("seal", "The seal of this event was changed."),
                            ("link", "The seal of this event is not linked to the one before."),
                            ("published", "The seal of this event differs from the root that was published."),
                        ],
                        max_length=12,
                    ),
                ),
                ("bad_event", models.BigIntegerField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(condition=models.Q(("good", None)), fields=["id"], name="verification_open")],
            },
        ),
        migrations.RunSQL(TABLES, "DROP TABLE contacts_seal, contacts_sealedleaf"),
        migrations.RunSQL(REFUSAL, "DROP FUNCTION contacts_refuse_seal_change"),
        migrations.RunSQL(SCRUB, NO_SCRUB),
    ]
