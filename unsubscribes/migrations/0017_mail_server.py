"""How the mail server does; and mail that was called sent while there was no mail server.

It never left. It is held back, for it may be old: who wrote it decides whether it is sent now.
"""

from django.db import migrations, models


NEVER_LEFT = """
    UPDATE unsubscribes_message SET state = 'held', reason = 'never_left', sent_at = NULL
    WHERE state = 'sent' AND reason = 'outbox'
"""


class Migration(migrations.Migration):
    dependencies = [
        ("unsubscribes", "0016_sync_speed"),
    ]

    operations = [
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
                    (
                        "unsendable",
                        "Mail cannot be sent to this address: it holds letters that the mail server does not take.",
                    ),
                    ("outbox", "Waiting for a mail server"),
                    ("never_left", "It never left, for there was no mail server."),
                    ("server", "The mail server has trouble; all mail waits until it works again."),
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
        migrations.CreateModel(
            name="MailServer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("since", models.DateTimeField(null=True)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("said", models.CharField(blank=True, max_length=500)),
                ("next_at", models.DateTimeField(null=True)),
                ("message_id", models.BigIntegerField(null=True)),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("pk", 1)), name="mail_server_one_row")],
            },
        ),
        migrations.RunSQL(NEVER_LEFT, migrations.RunSQL.noop),
    ]
