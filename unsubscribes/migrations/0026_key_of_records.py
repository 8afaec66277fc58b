"""With which key the addresses of Salesforce's records were hashed when all of them were read."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("unsubscribes", "0025_mail_reported")]
    operations = [
        migrations.AddField(
            model_name="syncconnection",
            name="hash_key",
            field=models.CharField(blank=True, db_default="", max_length=8),
        ),
    ]
