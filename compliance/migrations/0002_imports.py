from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("compliance", "0001_initial")]
    operations = [
        migrations.DeleteModel("ImportSeen"),
        migrations.CreateModel(
            name="ImportSeen",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "job_id", "address_hash", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("job_id", models.BigIntegerField()),
                ("address_hash", models.UUIDField()),
            ],
        ),
        migrations.RemoveField("importjob", "rows_expected"),
        migrations.AddField("importjob", "table", models.JSONField(default=dict)),
        migrations.AddField("importjob", "attempt", models.PositiveIntegerField(default=0)),
        migrations.AddField("importjob", "language", models.CharField(default="en", max_length=5)),
        migrations.AddField("importjob", "started_at", models.DateTimeField(null=True)),
    ]
