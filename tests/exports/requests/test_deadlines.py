"""One month, three when extended, and the next working day (GDPR art. 12(3), Regulation 1182/71)."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exports.requests.deadlines import due, known, working_day

DAYS = st.dates(dt.date(2000, 1, 1), dt.date(2100, 1, 1))


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("received", "extended", "paused", "expected"),
    [
        ("2026-11-10", False, 0, "2026-12-10"),
        ("2027-01-31", False, 0, "2027-03-01"),  # the 28th of February is a Sunday
        ("2028-01-31", False, 0, "2028-02-29"),  # a leap year
        ("2026-10-31", False, 0, "2026-11-30"),
        ("2026-11-24", False, 0, "2026-12-24"),
        ("2026-11-25", False, 0, "2026-12-28"),  # Christmas, then a weekend
        ("2026-12-06", False, 0, "2027-01-07"),  # Epiphany
        ("2026-05-20", False, 0, "2026-06-22"),  # Midsummer Day, a Saturday
        ("2026-11-10", True, 0, "2027-02-10"),
        ("2026-11-30", True, 0, "2027-03-01"),  # the 28th of February is a Sunday
        ("2026-11-10", False, 5, "2026-12-15"),
        ("2026-11-10", True, 3, "2027-02-15"),  # the 13th is a Saturday
    ],
)
def test_the_last_day_of_an_answer(received, extended, paused, expected):
    assert due(day(received), extended=extended, paused_days=paused, country="SE") == day(expected)


def test_the_holidays_are_those_of_the_country():
    assert working_day(day("2026-01-06"), "SE") == day("2026-01-07")
    assert working_day(day("2026-01-06"), "NO") == day("2026-01-06")
    assert (known("SE"), known("XX")) == (True, False)


@given(received=DAYS, paused=st.integers(0, 400))
def test_it_is_a_working_day_and_an_extension_never_shortens(received, paused):
    first = due(received, extended=False, paused_days=paused, country="SE")
    later = due(received, extended=True, paused_days=paused, country="SE")
    assert first.weekday() < 5
    assert later > first
    assert dt.timedelta(days=28 + paused) <= first - received <= dt.timedelta(days=31 + paused + 7)
