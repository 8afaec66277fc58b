"""The figures of each past day, stored so that they can be shown even after people have been erased."""

import datetime as dt
from collections.abc import Iterable

from django.db import connection, transaction
from django.db.models import Max, Min
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts.models import ContactEvent
from exports.overview import figures
from exports.overview.figures import Figures
from exports.overview.models import DailyFigure
from salesconnect.lib.actor import Actor
from salesconnect.lib.errors import Invalid, Missing

LOOK_BACK = 90
"""How many past days the first run calculates from the history."""
DAYS_A_TURN = 30


def keep() -> int:
    """Store the figures of past days that have none yet, at most thirty; return how many days were stored.

    A day on which no worker ran is calculated later from the events. Safe to run in two workers at once.
    """
    yesterday = timezone.localdate() - dt.timedelta(days=1)
    first = _next_day(yesterday)
    days = [] if first is None else [first + dt.timedelta(days=more) for more in range((yesterday - first).days + 1)]
    return sum(keep_day(day) for day in days[:DAYS_A_TURN])


@transaction.atomic
def keep_day(day: dt.date) -> bool:
    """Store the figures of one past day; return False if they were stored already."""
    # Two workers may come to the same day; the second waits here and then finds the rows.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('exports_dailyfigure'))")
    if DailyFigure.objects.filter(day=day).exists():
        return False
    numbers = figures.at_end_of(day)
    DailyFigure.objects.bulk_create(
        DailyFigure(day=day, name=name, key=key, number=number)
        for name, of in numbers.items()
        for key, number in of.items()
    )
    return True


def on(day: dt.date, *, actor: Actor) -> Figures:
    """Return the figures at the end of a day, or the present ones for today.

    Raises `Invalid` for a future day, and `Missing` for a day without stored figures.
    """
    actor.require("view_people")
    today = timezone.localdate()
    if day > today:
        raise Invalid({"as_of": [_("This day is still to come.")]})
    if day == today:
        return figures.now(today)
    return _numbers(DailyFigure.objects.filter(day=day).order_by("pk"))


def series(names: Iterable[str], days: int, today: dt.date) -> list[tuple[dt.date, Figures]]:
    """Return the stored figures of these names for the last `days` days before `today`, oldest first."""
    since = today - dt.timedelta(days=days)
    rows = DailyFigure.objects.filter(day__gt=since, day__lt=today, name__in=names).order_by("day", "pk")
    by_day: dict[dt.date, dict[str, dict[str, int]]] = {}
    for row in rows:
        by_day.setdefault(row.day, {}).setdefault(row.name, {})[row.key] = row.number
    return list(by_day.items())


def _next_day(yesterday: dt.date) -> dt.date | None:
    """Return the first day to store: the day after the last stored one. At first it is the day of the first event, at
    most `LOOK_BACK` days ago. None if there is no event.
    """
    last = DailyFigure.objects.aggregate(last=Max("day"))["last"]
    if last is not None:
        return last + dt.timedelta(days=1)
    event = ContactEvent.objects.aggregate(first=Min("at"))["first"]
    if event is None:
        return None
    return max(timezone.localdate(event), yesterday - dt.timedelta(days=LOOK_BACK - 1))


def _numbers(rows: Iterable[DailyFigure]) -> Figures:
    numbers: dict[str, dict[str, int]] = {}
    for row in rows:
        numbers.setdefault(row.name, {})[row.key] = row.number
    if not numbers:
        raise Missing(_("No figures were kept of this day."))
    return numbers
