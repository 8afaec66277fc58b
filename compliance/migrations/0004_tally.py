"""How many cards there are of each kind: a table that triggers on the cards keep exact."""

from django.db import migrations, models

from salesconnect.lib.database.sql import statement

# Nobody may change a card between the count and the triggers: creating them has locked the table.
COUNT = """
INSERT INTO compliance_cardtally (authorization_type, source_type, unsubscribed, consent_date, number, settled)
    SELECT authorization_type, source_type, unsubscribed, consent_date, count(*), true
    FROM compliance_compliancecard GROUP BY authorization_type, source_type, unsubscribed, consent_date;
"""


class Migration(migrations.Migration):
    dependencies = [("compliance", "0003_said_again")]
    operations = [
        migrations.CreateModel(
            name="CardTally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("authorization_type", models.PositiveSmallIntegerField(null=True)),
                ("source_type", models.PositiveSmallIntegerField(null=True)),
                ("unsubscribed", models.BooleanField()),
                ("consent_date", models.DateField(null=True)),
                ("number", models.BigIntegerField()),
                ("settled", models.BooleanField(db_default=False)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("settled", True)),
                        fields=("authorization_type", "source_type", "unsubscribed", "consent_date"),
                        name="card_tally_once_per_kind",
                        nulls_distinct=False,
                    ),
                ],
            },
        ),
        migrations.RunSQL(statement(__file__, "sql/0004_tally"), "DROP FUNCTION compliance_tally_cards CASCADE"),
        migrations.RunSQL(COUNT, migrations.RunSQL.noop),
    ]
