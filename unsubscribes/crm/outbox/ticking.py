"""For whom a box was ticked: for the record's own address, or for somebody else who is linked to the record."""

from collections.abc import Sequence

from django.db import connection

from salesconnect.lib.database.sql import statement

ADDRESS_NO = statement(__file__, "address_no")
WRITTEN = statement(__file__, "written", address_no=ADDRESS_NO)
UNSURE = statement(__file__, "unsure", address_no=ADDRESS_NO)


def unsure(records: Sequence[int]) -> set[int]:
    """Return the records that are written for a person whose address is not theirs, as far as is known here."""
    with connection.cursor() as cursor:
        cursor.execute(UNSURE, {"records": list(records)})
        return {row[0] for row in cursor}


def note_written(records: Sequence[int], *, value: bool) -> None:
    """Remember that these records hold the value, and for whom a box was ticked."""
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN, {"records": list(records), "value": value})
