"""For whom a box is ticked: for the record's own address, or for another person who is linked to the record."""

from collections.abc import Sequence

from django.db import connection

from salesconnect.lib.database.sql import statement

ADDRESS_OPTED_OUT = statement(__file__, "address_opted_out")
WRITTEN = statement(__file__, "written", address_opted_out=ADDRESS_OPTED_OUT)
WRITTEN_FOR_ANOTHER_ADDRESS = statement(__file__, "written_for_another_address", address_opted_out=ADDRESS_OPTED_OUT)


def written_for_another_address(records: Sequence[int]) -> set[int]:
    """Return the records whose own address is not opted out here: they are written for the linked person only."""
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN_FOR_ANOTHER_ADDRESS, {"records": list(records)})
        return {row[0] for row in cursor}


def note_written(records: Sequence[int], *, value: bool) -> None:
    """Store that the boxes of these records hold the value, and for whom they were ticked."""
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN, {"records": list(records), "value": value})
