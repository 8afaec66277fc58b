"""A link that another replaced in its message knows the message, and so the person to whom it may have been mailed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("unsubscribes", "0027_lookalikes")]
    operations = [migrations.AddField("maillink", "replaced_in", models.BigIntegerField(null=True))]
