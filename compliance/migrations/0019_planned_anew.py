"""Look-alikes of new people by statements whose cost hangs neither on statistics nor on the size at an earlier time."""

from django.db import migrations

from salesconnect.lib.database.sql import statement


class Migration(migrations.Migration):
    dependencies = [
        ("compliance", "0018_functions_as_in_their_files"),
        ("salesconnect", "0002_table_sizes"),
    ]
    operations = [
        migrations.RunSQL(statement(__file__, "sql/0019_compliance_people_seen"), migrations.RunSQL.noop),
    ]
