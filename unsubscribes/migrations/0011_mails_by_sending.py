"""Mails in the order in which they were sent, for the report of whom we mailed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("unsubscribes", "0010_informing")]
    operations = [
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                fields=["sent_at", "id"], condition=models.Q(("state", "sent")), name="message_by_sending"
            ),
        ),
    ]
