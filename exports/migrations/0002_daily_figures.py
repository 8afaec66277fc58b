"""The figures of each day, only ever added."""

import django.contrib.postgres.functions
from django.db import migrations, models

APPEND_ONLY = """
CREATE FUNCTION exports_refuse_figure_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The figures of a day are kept as they were: % refused', TG_OP
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER dailyfigure_append_only BEFORE UPDATE OR DELETE ON exports_dailyfigure
    FOR EACH ROW EXECUTE FUNCTION exports_refuse_figure_change();
"""


class Migration(migrations.Migration):
    dependencies = [("exports", "0001_initial"), ("contacts", "0003_merge")]
    operations = [
        migrations.CreateModel(
            name="DailyFigure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("name", models.CharField(max_length=30)),
                ("key", models.CharField(blank=True, max_length=30)),
                ("number", models.BigIntegerField()),
                (
                    "counted_at",
                    models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow()),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint("day", "name", "key", name="daily_figure_once")],
            },
        ),
        migrations.RunSQL(APPEND_ONLY, "DROP FUNCTION exports_refuse_figure_change CASCADE"),
    ]
