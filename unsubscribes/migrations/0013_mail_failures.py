"""Failures in a row of mail to an address, and mails by the moment at which they left, those among them that came back."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("contacts", "0008_plain_chunks"), ("unsubscribes", "0012_sync_owes")]
    operations = [
        migrations.CreateModel(
            name="MailFailure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address_hash", models.UUIDField()),
                ("number", models.PositiveSmallIntegerField()),
                ("key", models.CharField(max_length=64)),
                ("reported", models.BooleanField()),
                ("said", models.CharField(blank=True, max_length=500)),
                ("at", models.DateTimeField(null=True)),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mail_failures",
                        to="contacts.contact",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["address_hash"], name="mail_failure_by_address"),
                    models.Index(fields=["contact"], condition=models.Q(("number", 3)), name="mail_failure_holds"),
                ],
            },
        ),
        migrations.AlterField(
            model_name="message",
            name="reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("unsubscribed", "The address is unsubscribed."),
                    ("restricted", "The person's data is restricted."),
                    ("no_address", "The person has no email address."),
                    ("no_authorization", "No authorization is recorded."),
                    ("policy", "The team's policy does not allow it."),
                    ("undeliverable", "The last mails to this address did not arrive."),
                    ("outbox", "Kept in the outbox: no mail server is configured."),
                    ("later", "The mail server could not take it; it is tried again."),
                    ("refused", "The mail server refused it."),
                    ("gave_up", "The mail server could not take it, however often it was tried."),
                    ("undelivered", "It left and came back: the receiving server did not take it."),
                    ("interrupted", "Sending was interrupted; nobody knows whether the mail left."),
                    ("marked_sent", "Marked as sent by a colleague."),
                ],
                max_length=20,
            ),
        ),
        AddIndexConcurrently(
            "message",
            models.Index(
                fields=["sent_at", "id"], condition=models.Q(sent_at__isnull=False), name="message_by_leaving"
            ),
        ),
        RemoveIndexConcurrently("message", "message_by_sending"),
    ]
