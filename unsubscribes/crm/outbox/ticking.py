"""For whom a box was ticked: for the record's own address, or for somebody else who is linked to the record."""

from collections.abc import Sequence

from django.db import connection

from salesconnect.lib.database.sql import statement

ADDRESS_OPTED_OUT = statement(__file__, "address_opted_out")
WRITTEN = statement(__file__, "written", address_opted_out=ADDRESS_OPTED_OUT)
WRITTEN_FOR_ANOTHER_ADDRESS = statement(__file__, "written_for_another_address", address_opted_out=ADDRESS_OPTED_OUT)


def written_for_another_address(records: Sequence[int]) -> set[int]:
    """Return the records that are written for a person whose address is not theirs, as far as is known here."""
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN_FOR_ANOTHER_ADDRESS, {"records": list(records)})
        return {row[0] for row in cursor}


def note_written(records: Sequence[int], *, value: bool) -> None:
    """Remember that these records hold the value, and for whom a box was ticked."""
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN, {"records": list(records), "value": value})
