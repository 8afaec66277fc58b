"""The "no" that answers a mail is of the person to whom the mail was written, whatever address the person has by now."""

from django.db import migrations

from salesconnect.lib.database.sql import statement


class Migration(migrations.Migration):
    dependencies = [("compliance", "0016_lookalikes")]
    operations = [
        migrations.RunSQL(statement(__file__, "sql/0017_unsubscribe"), statement(__file__, "sql/0016_unsubscribe"))
    ]
