"""What is written to the ledger: erasures and opt-outs, as numbers, hashes and codes, in a file outside the database.

An erasure is written immediately before its transaction commits. A crash in between leaves a line too many, about
somebody whose erasure was ordered, and never one too few.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from compliance.models import Suppression
from contacts.jobs import engine
from salesconnect.lib import ledger

ERASED, SUPPRESSED = "erased", "suppressed"
CHUNK = 5_000
# Lines are never removed, so the hash of an address is written only where a suppression keeps it anyway.
LINES = """
    SELECT number, to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
           s.address_hash, s.hash_key, s.source, s.skeleton_hash
    FROM unnest(%s::bigint[]) AS numbers (number) LEFT JOIN contacts_contact c ON c.id = number
    LEFT JOIN compliance_suppression s ON s.address_hash = c.address_hash ORDER BY number
"""


def lines_of(numbers: Sequence[int], until: dt.datetime | None = None) -> list[dict[str, Any]]:
    """Return the lines about the erasure of these people, merged records included. Call it before they are deleted.

    `until` is the day up to which they are remembered as erased. Their hashes are not written for it, because lines
    are never removed; a restored backup contains the address itself.
    """
    more = {"until": until.isoformat()} if until else {}
    with connection.cursor() as cursor:
        cursor.execute(LINES, [list(numbers)])
        return [
            {"what": ERASED, "at": at, "contact": number}
            | more
            | ({"hash": str(known), "key": key, "source": source} | _look(look) if known else {})
            for number, at, known, key, source, look in cursor
        ]


def _look(skeleton: UUID | None) -> dict[str, str]:
    return {"skeleton": str(skeleton)} if skeleton else {}


def write_suppressions() -> int:
    """Write every suppression that is not in the ledger yet; return how many."""
    written = 0
    while number := _write_chunk():
        written += number
    return written


@transaction.atomic
def _write_chunk() -> int:
    # A second worker skips the rows of the first, so that no opt-out is written twice.
    new = engine.claim(Suppression.objects.filter(in_ledger=False).order_by("pk"))[:CHUNK]
    rows = list(new)
    ledger.append(
        {
            "what": SUPPRESSED,
            "at": row.said_at.isoformat(),
            "hash": str(row.address_hash),
            "key": row.hash_key,
            "source": row.source,
        }
        | _look(row.skeleton_hash)
        for row in rows
    )
    Suppression.objects.filter(pk__in=[row.pk for row in rows]).update(in_ledger=True)
    return len(rows)
