"""Store what stays of the events of the erased as `contacts/sql` has it: what stays is the same."""

from django.db import migrations

from salesconnect.lib.database.sql import statement


class Migration(migrations.Migration):
    dependencies = [("contacts", "0020_given_up_keys")]
    operations = [migrations.RunSQL(statement(__file__, "sql/0021_contacts_scrubbed"), migrations.RunSQL.noop)]
