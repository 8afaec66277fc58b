"""What the addresses of those who are here look like, a chunk in each transaction: it may be stopped and started again.

Triggers mark who looks like somebody who said no, and the history says so. Suppressions learn it from who has their
address; of one that nobody has, all that is known is its hash, and what looks like it cannot be told.
"""

from django.db import migrations, models, transaction

from contacts.people.skeletons import skeleton_hashes

CHUNK = 5_000
FIND = """
    SELECT id, email_key FROM contacts_contact
    WHERE id > %s AND email_key <> '' AND skeleton_hash IS NULL ORDER BY id LIMIT %s
"""
LOCK = "SELECT FROM compliance_compliancecard WHERE contact_id = ANY(%s) ORDER BY contact_id FOR UPDATE"
FILL = """
    UPDATE contacts_contact person SET skeleton_hash = known.skeleton
    FROM unnest(%s::bigint[], %s::text[], %s::uuid[]) AS known (id, email_key, skeleton)
    WHERE person.id = known.id AND person.email_key = known.email_key AND person.skeleton_hash IS NULL
"""


def fill(apps, schema_editor):
    last, connection = 0, schema_editor.connection
    with connection.cursor() as cursor:
        # The history says who is marked, also where nothing has run for so long that no month is ready for it.
        cursor.execute("SELECT contacts_make_event_partition(date_trunc('month', now())::date)")
    while True:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute(FIND, [last, CHUNK])
            found = cursor.fetchall()
            if not found:
                return
            ids, keys = [row[0] for row in found], [row[1] for row in found]
            cursor.execute(LOCK, [ids])
            cursor.execute(FILL, [ids, keys, [str(skeleton_hashes(key)[0]) for key in keys]])
        last = ids[-1]


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("unsubscribes", "0026_key_of_records"), ("compliance", "0016_lookalikes")]
    operations = [
        migrations.AlterField(
            model_name="message",
            name="reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("unsubscribed", "The address is unsubscribed."),
                    ("restricted", "The person's data is restricted."),
                    ("looks_like_opted_out", "The address looks like one that said no."),
                    ("no_address", "The person has no email address."),
                    ("no_authorization", "No authorization is recorded."),
                    ("policy", "The team's policy does not allow it."),
                    ("undeliverable", "The last mails to this address did not arrive."),
                    (
                        "unsendable",
                        "Mail cannot be sent to this address: it holds letters that the mail server does not take.",
                    ),
                    ("double", "The person gets this mail already, from a record that was merged."),
                    ("outbox", "Waiting for a mail server"),
                    ("never_left", "It never left, for there was no mail server."),
                    ("server", "The mail server has trouble; all mail waits until it works again."),
                    ("later", "The mail server could not take it; it is tried again."),
                    ("broken", "The mail could not be prepared; the reason is in the log."),
                    ("refused", "The mail server refused it."),
                    ("gave_up", "The mail server could not take it, however often it was tried."),
                    ("undelivered", "It left and came back: the receiving server did not take it."),
                    ("interrupted", "Sending was interrupted; nobody knows whether the mail left."),
                    ("marked_sent", "Marked as sent by a colleague."),
                ],
                max_length=20,
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
