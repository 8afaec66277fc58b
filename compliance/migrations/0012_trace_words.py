"""An index of the words in imports and in the reasons of suppressions; see the migration of the function."""

from django.db import migrations

INDEXES = """
CREATE INDEX importjob_trace_words ON compliance_importjob
    USING gin (contacts_trace_words(ARRAY[card, "table"], file_name || E'\\n' || error));
CREATE INDEX importreject_trace_words ON compliance_importreject
    USING gin (contacts_trace_words(ARRAY[cells], ''))
    WITH (gin_pending_list_limit = 256);
CREATE INDEX suppression_trace_words ON compliance_suppression
    USING gin (contacts_trace_words('{}', reason)) WITH (gin_pending_list_limit = 256) WHERE reason <> '';
CREATE INDEX importjob_open ON compliance_importjob (id) WHERE state IN ('queued', 'running');
CREATE INDEX importjob_with_file ON compliance_importjob (id) WHERE file <> '';
"""
NO_INDEXES = "DROP INDEX importjob_trace_words, importreject_trace_words, suppression_trace_words, importjob_with_file, importjob_open"


class Migration(migrations.Migration):
    dependencies = [("compliance", "0011_folded_domains"), ("contacts", "0013_trace_words")]
    operations = [migrations.RunSQL(INDEXES, NO_INDEXES)]
