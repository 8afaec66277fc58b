"""How an event becomes a leaf, in SQL: the database writes, hashes and compares a million without handing them out."""

LOCK = "SELECT pg_advisory_xact_lock(hashtext('contacts_seal'))"
"""Taken alone by whoever seals; shared by whoever erases."""

TIME = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"

COMMITMENT = "sha256(uuid_send(salt) || convert_to(changes::text, 'UTF8'))"
"""Covers all of `changes`; without the salt nobody can guess what it was."""

OPEN = """(
    SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(changes)
    WHERE key IN ('authorization_type', 'consent_date', 'source_type', 'source', 'line', 'suppressed', 'into', 'merged')
)"""
"""What of `changes` is sealed in the open: codes that a scrub leaves. The seals that there are depend on this list;
whatever a later scrub leaves beside them, it stays as it is."""

PARTS = (
    "id",
    TIME.format("at"),
    "contact_id",
    "batch_id",
    "actor_id",
    "action",
    "door",
    "actor_name",
    OPEN,
    "encode(commitment, 'hex')",
)
CONTENT = f"jsonb_build_array({', '.join(PARTS)})"
HASH = f"sha256('\\x00'::bytea || convert_to({CONTENT}::text, 'UTF8'))"
"""RFC 6962: a leaf's hash has a zero byte in front."""
