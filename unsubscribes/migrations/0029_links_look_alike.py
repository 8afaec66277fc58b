"""A link knows what its address looks like, for its person may have another address when the link is used.

Of links that were mailed before, those learn it whose address somebody has: a chunk in each transaction, so that it may
be stopped and started again.
"""

from django.db import migrations, models, transaction

CHUNK = 20_000
EDGE = "SELECT max(id) FROM (SELECT id FROM unsubscribes_maillink WHERE id > %s ORDER BY id LIMIT %s) piece"
FILL = """
    UPDATE unsubscribes_maillink link SET skeleton_hash = (
        SELECT skeleton_hash FROM contacts_contact WHERE address_hash = link.address_hash LIMIT 1
    ) WHERE id > %s AND id <= %s AND address_hash IS NOT NULL AND skeleton_hash IS NULL
"""


def fill(apps, schema_editor):
    last, connection = 0, schema_editor.connection
    while True:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute(EDGE, [last, CHUNK])
            edge = cursor.fetchone()[0]
            if edge is None:
                return
            cursor.execute(FILL, [last, edge])
        last = edge


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("unsubscribes", "0028_replaced_links"), ("contacts", "0019_skeletons")]
    operations = [
        migrations.AddField("maillink", "skeleton_hash", models.UUIDField(null=True)),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
