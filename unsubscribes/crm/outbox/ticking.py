"""For whom a box was ticked: for the record's own address, or for somebody else who is linked to the record."""

from collections.abc import Sequence

from django.db import connection

# Whether the record's own address says "no", and not only somebody who is linked to it.
ADDRESS_NO = """(
    EXISTS (
        SELECT FROM (SELECT source FROM compliance_suppression WHERE address_hash = r.address_hash OFFSET 0) s
        WHERE s.source <> 'bounce'
    ) OR EXISTS (
        SELECT FROM (SELECT id FROM contacts_contact WHERE address_hash = r.address_hash OFFSET 0) holder
        CROSS JOIN LATERAL (
            SELECT unsubscribed FROM compliance_compliancecard WHERE contact_id = holder.id OFFSET 0
        ) card
        LEFT JOIN LATERAL (
            SELECT source FROM compliance_suppression WHERE address_hash = r.address_hash OFFSET 0
        ) s ON true
        WHERE card.unsubscribed AND s.source IS DISTINCT FROM 'bounce'
    )
)"""
# What a record holds now that it was written; whether its address, or its person, had no part in that.
WRITTEN = f"""
    UPDATE unsubscribes_syncrecord r SET opted_out = %(value)s, pushed = %(value)s, pushed_at = now(),
        synced_at = now(), ticked_for_other = %(value)s AND (
            r.address_hash IS NOT NULL AND NOT {ADDRESS_NO}
            OR EXISTS (SELECT FROM compliance_compliancecard card
                       WHERE card.contact_id = r.contact_id AND NOT card.unsubscribed))
    WHERE r.id = ANY(%(records)s)
"""
UNSURE = f"""
    SELECT r.id FROM unsubscribes_syncrecord r
    WHERE r.id = ANY(%(records)s) AND (r.address_hash IS NULL OR NOT {ADDRESS_NO})
"""


def unsure(records: Sequence[int]) -> set[int]:
    """Return the records that are written for a person whose address is not theirs, as far as is known here."""
    with connection.cursor() as cursor:
        cursor.execute(UNSURE, {"records": list(records)})
        return {row[0] for row in cursor}


def note_written(records: Sequence[int], *, value: bool) -> None:
    """Remember that these records hold the value, and for whom a box was ticked."""
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN, {"records": list(records), "value": value})
