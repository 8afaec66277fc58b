"""An index of the words in the names of suppression lists; see the migration of the function."""

from django.db import migrations

INDEX = """
CREATE INDEX suppressionlist_trace_words ON unsubscribes_suppressionlist
    USING gin (contacts_trace_words('{}', file_name))
    WITH (gin_pending_list_limit = 256)
"""


class Migration(migrations.Migration):
    dependencies = [("unsubscribes", "0018_domains_apart"), ("contacts", "0013_trace_words")]
    operations = [migrations.RunSQL(INDEX, "DROP INDEX suppressionlist_trace_words")]
