"""An index of the words in what people wrote, so that an erasure finds a name without reading every order ever given."""

from django.db import migrations, models

# Words without regard to case, and of a telephone number the digits that tell it from others, whatever stands before
# and between them. Both sides of a search go through this function, so they always agree. It calls only what every
# search path finds: a restore runs it with an empty one.
WORDS = r"""
CREATE FUNCTION contacts_trace_words(given jsonb[], more text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT word), '{}') FROM (
        SELECT coalesce(more, '') AS text
        UNION ALL SELECT value #>> '{}' FROM unnest(given) AS each, jsonb_path_query(each, 'strict $.**') AS value
        WHERE jsonb_typeof(value) = 'string'
    ) AS texts CROSS JOIN LATERAL (
        SELECT word FROM regexp_split_to_table(
            replace(replace(lower(text), 'ß', 'ss'), 'ς', 'σ'), '[^[:alnum:]]+') AS word WHERE word <> ''
        UNION ALL
        SELECT '#' || right(digits, 7) FROM (
            SELECT regexp_replace(found[1], '\D', '', 'g') AS digits
            FROM regexp_matches(text, '(\+?\d[\d\s()./-]{5,}\d)', 'g') AS found
        ) AS numbers WHERE length(digits) >= 7
    ) AS words
$$;
"""
NO_WORDS = "DROP FUNCTION contacts_trace_words"
INDEXES = """
CREATE INDEX batch_trace_words ON contacts_batch
    USING gin (contacts_trace_words(ARRAY[params, selection], error))
    WITH (gin_pending_list_limit = 256);
CREATE INDEX reply_trace_words ON contacts_idempotentreply
    USING gin (contacts_trace_words(ARRAY[body], key))
    WITH (gin_pending_list_limit = 256);
CREATE INDEX reply_of_person ON contacts_idempotentreply ((body->>'id')) WHERE body ? 'first_name';
CREATE INDEX reply_about_person ON contacts_idempotentreply ((body->>'contact')) WHERE body ? 'contact';
CREATE INDEX contactevent_trace_words ON contacts_contactevent
    USING gin (contacts_trace_words('{}', changes->'reason'->>1))
    WITH (gin_pending_list_limit = 256) WHERE batch_id IS NULL AND changes->'reason'->>1 <> '';
"""
NO_INDEXES = """
DROP INDEX batch_trace_words, reply_trace_words, reply_of_person, reply_about_person, contactevent_trace_words
"""


class Migration(migrations.Migration):
    dependencies = [("contacts", "0012_key_fingerprints")]
    operations = [
        migrations.RunSQL(WORDS, NO_WORDS),
        migrations.RunSQL(INDEXES, NO_INDEXES),
        migrations.AddField("batch", "names_kept", models.BooleanField(db_default=True, editable=False)),
        migrations.AddIndex(
            "batch",
            models.Index(
                fields=["finished_at"],
                condition=models.Q(names_kept=True, finished_at__isnull=False),
                name="batch_names_by_end",
            ),
        ),
    ]
