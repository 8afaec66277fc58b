"""A key that was lost for good is given up: when, and what was lost with it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("contacts", "0019_skeletons")]
    operations = [
        migrations.AddField("keyfingerprint", "given_up_at", models.DateTimeField(null=True)),
        migrations.AddField("keyfingerprint", "lost", models.JSONField(db_default={}, default=dict)),
    ]
