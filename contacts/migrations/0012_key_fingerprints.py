"""Which keys the database is used with. That of address hashes is known from the rows that bear its name."""

import django.db.models.functions.datetime
from django.db import migrations, models

KNOWN = """
DO $$
DECLARE
    source record;
BEGIN
    FOR source IN SELECT * FROM (VALUES
        ('contacts_contact', 'address_hash_key'), ('compliance_suppression', 'hash_key'),
        ('unsubscribes_maillink', 'hash_key')
    ) AS named (of_table, of_column) WHERE to_regclass(of_table) IS NOT NULL LOOP
        -- The unique index is made only when the migration ends, so nothing conflicts before.
        EXECUTE format('INSERT INTO contacts_keyfingerprint (name, fingerprint)
            SELECT ''suppression'', %I FROM %I WHERE %I <> ''''
            EXCEPT SELECT name, fingerprint FROM contacts_keyfingerprint',
            source.of_column, source.of_table, source.of_column);
    END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("contacts", "0011_salesforce_id_collation")]
    operations = [
        migrations.CreateModel(
            name="KeyFingerprint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.CharField(
                        choices=[
                            ("suppression", "Suppression"),
                            ("unsubscribe", "Unsubscribe"),
                            ("encryption", "Encryption"),
                        ],
                        max_length=12,
                    ),
                ),
                ("fingerprint", models.CharField(max_length=16)),
                ("first_used", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(models.F("name"), models.F("fingerprint"), name="key_fingerprint_once")
                ]
            },
        ),
        migrations.RunSQL(KNOWN, migrations.RunSQL.noop),
    ]
