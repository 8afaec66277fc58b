"""An index of the words in requests and in the notes on identities; see the migration of the function."""

from django.db import migrations

INDEXES = r"""
CREATE INDEX datarequest_trace_words ON exports_datarequest
    USING gin (contacts_trace_words('{}', identity_check || E'\n' || extension_reason || E'\n' || pause_reason || E'\n'
        || answer))
    WITH (gin_pending_list_limit = 256);
CREATE INDEX identitynote_trace_words ON exports_identitynote
    USING gin (contacts_trace_words('{}', text)) WITH (gin_pending_list_limit = 256) WHERE text <> '';
"""


class Migration(migrations.Migration):
    dependencies = [("exports", "0010_inactive_words"), ("contacts", "0013_trace_words")]
    operations = [migrations.RunSQL(INDEXES, "DROP INDEX datarequest_trace_words, identitynote_trace_words")]
