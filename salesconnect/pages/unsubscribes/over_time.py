"""Opt-outs and re-consents over time as a chart; every number links to its list."""

import datetime as dt
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from salesconnect.lib import chart
from salesconnect.lib.chart import Point, Value
from salesconnect.lib.web.paging import address
from unsubscribes.opt_outs import listing
from unsubscribes.opt_outs.listing import PeriodCounts, Unit


def figures_chart(unit: Unit, today: dt.date, width: int = chart.WIDTH) -> dict[str, Any]:
    """Return the context of the chart template for the last twelve weeks or months."""
    series = [_("Unsubscribes"), _("Re-consents")]
    points = [_point(period, unit, series) for period in listing.figures(unit, today)]
    return {
        "title": _("The last twelve weeks") if unit == "week" else _("The last twelve months"),
        "head": _("Week from") if unit == "week" else _("Month"),
        "series": series,
        "chart": chart.columns(points, width),
    }


def _point(period: PeriodCounts, unit: Unit, series: list[str]) -> Point:
    days = f"{period.first:%Y-%m-%d} – {period.last:%Y-%m-%d}"
    numbers = zip(listing.OPT_OUT_ACTIONS, series, (period.unsubscribed, period.resubscribed), strict=True)
    values = tuple(
        Value(number, _url(kind, period, unit), f"{name}: {intcomma(number)}, {days}") for kind, name, number in numbers
    )
    if unit == "week":
        return Point(date_format(period.first, pgettext("date format", "j M")), date_format(period.first), values)
    return Point(date_format(period.first, pgettext("date format", "M")), date_format(period.first, "F Y"), values)


def _url(kind: str, period: PeriodCounts, unit: Unit) -> str:
    query = {"kind": kind, "since": period.first.isoformat(), "until": period.last.isoformat(), "by": unit}
    return address(query, reverse("unsubscribes"))
