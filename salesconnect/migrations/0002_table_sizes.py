"""The function behind `salesconnect.lib.database.table_sizes`."""

from django.db import migrations

from salesconnect.lib.database.sql import statement


class Migration(migrations.Migration):
    dependencies = [("salesconnect", "0001_signs_of_life")]
    operations = [
        migrations.RunSQL(statement(__file__, "sql/0002_salesconnect_learn_sizes"), migrations.RunSQL.noop),
    ]
