"""The moment of the newest report of a provider about a mail; of mails of before nobody knows it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("unsubscribes", "0024_sync_work"),
    ]

    operations = [
        migrations.AddField(
            model_name="message",
            name="reported_at",
            field=models.DateTimeField(null=True),
        ),
    ]
