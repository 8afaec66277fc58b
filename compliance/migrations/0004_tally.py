"""How many cards there are of each kind: a table that triggers on the cards keep exact."""

from django.db import migrations, models

KIND = "authorization_type, source_type, unsubscribed, consent_date"
FUNCTIONS = f"""
CREATE FUNCTION compliance_tally_cards() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO compliance_cardtally ({KIND}, number) SELECT {KIND}, count(*) FROM new_cards GROUP BY {KIND};
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO compliance_cardtally ({KIND}, number) SELECT {KIND}, -count(*) FROM old_cards GROUP BY {KIND};
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO compliance_cardtally ({KIND}, number)
            SELECT {KIND}, sum(step) FROM (
                SELECT {KIND}, 1 AS step FROM new_cards UNION ALL SELECT {KIND}, -1 FROM old_cards
            ) both_ways GROUP BY {KIND} HAVING sum(step) <> 0;
    ELSE
        DELETE FROM compliance_cardtally;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER card_tally_insert AFTER INSERT ON compliance_compliancecard REFERENCING NEW TABLE AS new_cards
    FOR EACH STATEMENT EXECUTE FUNCTION compliance_tally_cards();
CREATE TRIGGER card_tally_delete AFTER DELETE ON compliance_compliancecard REFERENCING OLD TABLE AS old_cards
    FOR EACH STATEMENT EXECUTE FUNCTION compliance_tally_cards();
CREATE TRIGGER card_tally_update AFTER UPDATE ON compliance_compliancecard
    REFERENCING OLD TABLE AS old_cards NEW TABLE AS new_cards
    FOR EACH STATEMENT EXECUTE FUNCTION compliance_tally_cards();
CREATE TRIGGER card_tally_truncate AFTER TRUNCATE ON compliance_compliancecard
    FOR EACH STATEMENT EXECUTE FUNCTION compliance_tally_cards();
"""
# Nobody may change a card between the count and the triggers: creating them has locked the table.
COUNT = f"""
INSERT INTO compliance_cardtally ({KIND}, number, settled)
    SELECT {KIND}, count(*), true FROM compliance_compliancecard GROUP BY {KIND};
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
        migrations.RunSQL(FUNCTIONS, "DROP FUNCTION compliance_tally_cards CASCADE"),
        migrations.RunSQL(COUNT, migrations.RunSQL.noop),
    ]
