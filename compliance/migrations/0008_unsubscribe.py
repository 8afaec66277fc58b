"""The "no" as a function of the database: thousands may follow the links of one mail, and it keeps its plans."""

from django.db import migrations

from salesconnect.lib.database.sql import statement


class Migration(migrations.Migration):
    dependencies = [("compliance", "0007_erasure"), ("contacts", "0007_sort_names")]
    operations = [
        migrations.RunSQL(statement(__file__, "sql/0008_suppress"), "DROP FUNCTION compliance_suppress"),
        migrations.RunSQL(statement(__file__, "sql/0008_unsubscribe"), "DROP FUNCTION compliance_unsubscribe"),
    ]
