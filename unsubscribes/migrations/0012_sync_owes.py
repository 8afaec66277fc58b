"""Which merged and converted records still owe their opt-out to the record in which they live on.

Until now a way of more than one hop was not followed to its end: what was lost on one is owed from here on.
"""

from django.db import migrations, models

OWED = """
    UPDATE unsubscribes_syncrecord r SET owes = true FROM unsubscribes_syncrecord next
    WHERE r.opted_out AND r.successor_id <> '' AND next.sf_id = r.successor_id AND next.successor_id <> ''
"""


class Migration(migrations.Migration):
    dependencies = [("unsubscribes", "0011_mails_by_sending")]
    operations = [
        migrations.AddField(model_name="syncrecord", name="owes", field=models.BooleanField(db_default=False)),
        migrations.AddIndex(
            model_name="syncrecord",
            index=models.Index(condition=models.Q(("owes", True)), fields=["id"], name="sync_record_owes"),
        ),
        migrations.RunSQL(OWED, migrations.RunSQL.noop),
    ]
