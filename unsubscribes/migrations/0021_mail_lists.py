"""Messages in the order of the lists: of a person, of a bulk order, by the moment at which they were written."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("contacts", "0012_key_fingerprints"), ("unsubscribes", "0020_broken_mail")]
    operations = [
        AddIndexConcurrently("message", models.Index(fields=["contact", "id"], name="message_of_contact")),
        AddIndexConcurrently(
            "message",
            models.Index(fields=["batch", "id"], condition=models.Q(batch__isnull=False), name="message_of_batch"),
        ),
        AddIndexConcurrently("message", models.Index(fields=["created_at", "id"], name="message_by_writing")),
        migrations.AlterField(
            model_name="message",
            name="batch",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="messages",
                to="contacts.batch",
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="contact",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="messages",
                to="contacts.contact",
            ),
        ),
    ]
