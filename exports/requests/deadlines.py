"""When a data subject's request must be answered. Pure.

GDPR art. 12(3): within one month of receipt; two further months where necessary, of which the person is told within the
first. A month ends on the day with the same number, or on the last day of a shorter month, and a period that ends on a
Saturday, Sunday or public holiday ends with the next working day (Regulation 1182/71, art. 3). The clock stands still
while the person is asked who they are or what they mean (art. 12(6), recitals 63 and 64; EDPB guidelines 01/2022,
157 to 159): the days from asking to the answer are added.
"""

import datetime as dt
from functools import lru_cache

import holidays
from dateutil.relativedelta import relativedelta

MONTHS, EXTENDED_MONTHS = 1, 3
_SATURDAY = 5


def due(received: dt.date, *, extended: bool, paused_days: int, country: str) -> dt.date:
    """Return the last day for an answer; `country` is the ISO 3166 code of the country whose holidays count."""
    months = EXTENDED_MONTHS if extended else MONTHS
    return working_day(received + relativedelta(months=months) + dt.timedelta(days=paused_days), country)


def working_day(day: dt.date, country: str) -> dt.date:
    while day.weekday() >= _SATURDAY or day in _holidays(country):
        day += dt.timedelta(days=1)
    return day


def known(country: str) -> bool:
    return country in holidays.list_supported_countries()


# The library calculates a year's holidays on first use and keeps them in the object.
@lru_cache(maxsize=4)
def _holidays(country: str) -> holidays.HolidayBase:
    return holidays.country_holidays(country)
