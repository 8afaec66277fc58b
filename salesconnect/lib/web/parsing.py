"""Parses dates, times and texts from outside: the one place that decides which of them can be stored.

Dates outside the years 1900 to 2999 are refused: nothing that is recorded lies there, and near the limits of the
calendar (years 1 and 9999) time zones and date arithmetic overflow. Texts that PostgreSQL cannot store are refused.
"""

import datetime as dt
import re

from django.utils.dateparse import parse_date, parse_datetime

FIRST, LAST = dt.date(1900, 1, 1), dt.date(2999, 12, 31)
_UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")
# A plus sign that was not URL-encoded arrives as a space.
_LOST_PLUS = re.compile(r" (?=\d\d:?\d\d$)")


def in_range(day: dt.date) -> bool:
    """Tell whether a day, or the day that a moment names in its own zone, is one that the product can hold."""
    plain = day.date() if isinstance(day, dt.datetime) else day
    return FIRST <= plain <= LAST


def day(text: str) -> dt.date | None:
    """Return the day that an ISO 8601 text names, None for anything else and for one out of range."""
    try:
        found = parse_date(text)
    except ValueError:
        return None
    return found if found is not None and in_range(found) else None


def moment(text: str) -> dt.datetime | None:
    """Return, in UTC, the moment that an ISO 8601 text with a zone names; None for anything else and out of range."""
    try:
        found = parse_datetime(_LOST_PLUS.sub("+", text))
    except ValueError:
        return None
    if found is None or found.tzinfo is None or not in_range(found):
        return None
    return found.astimezone(dt.UTC)


def is_storable(text: str) -> bool:
    """Tell whether PostgreSQL can hold a text: it has no NUL and no half of a surrogate pair."""
    return _UNSTORABLE.search(text) is None
