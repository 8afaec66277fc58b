"""The monthly partitions of the event table, so that the cost of a page does not grow with years of history."""

import datetime as dt

from django.db import connection
from django.utils import timezone

MONTHS_AHEAD = 24


def ensure(start: dt.date | None = None, months_ahead: int = MONTHS_AHEAD) -> int:
    """Create the missing partitions from the month of `start` (last month) to `months_ahead` months from now.

    Returns how many were made. They are made far ahead: without one for its month no act could be recorded. The last
    month is for clocks: one that is set back over the first of a month must not stop every act until it is over.
    """
    today = timezone.now().date()
    first = start.replace(day=1) if start else (today.replace(day=1) - dt.timedelta(days=1)).replace(day=1)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE contacts_make_event_partition(month::date)) FROM generate_series("
            "%s::timestamp, %s::timestamp + make_interval(months => %s), interval '1 month') month",
            [first, today.replace(day=1), months_ahead],
        )
        return cursor.fetchone()[0]
