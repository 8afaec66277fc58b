"""Let how somebody was informed, and from when a legal basis counts, stay when words go from an event."""

from django.db import migrations

from salesconnect.lib.database.sql import statement


class Migration(migrations.Migration):
    dependencies = [("contacts", "0021_scrubbed_as_in_its_file")]
    operations = [migrations.RunSQL(statement(__file__, "sql/0022_contacts_scrubbed"), migrations.RunSQL.noop)]
