"""What is suppressed so far may have been stored with the case of its domain folded; what comes later was not."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("compliance", "0010_address_locks")]
    operations = [
        # The default fills the rows that are there without rewriting them, and then holds for none.
        migrations.AddField("suppression", "folded", models.BooleanField(db_default=True, default=False)),
        migrations.AlterField("suppression", "folded", models.BooleanField(db_default=False, default=False)),
    ]
