"""An opt-out by statements that are planned once for each connection."""

from django.db import migrations

from salesconnect.lib.database.sql import statement


class Migration(migrations.Migration):
    dependencies = [("compliance", "0020_import_words")]
    operations = [
        migrations.RunSQL(statement(__file__, "sql/0021_compliance_unsubscribe"), migrations.RunSQL.noop),
    ]
