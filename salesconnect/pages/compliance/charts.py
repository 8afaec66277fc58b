"""The figures of the Compliance page as charts. With `live` (the figures of today) each number links to its list."""

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django.contrib.humanize.templatetags.humanize import intcomma
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from compliance.card.legal_basis_registry import CONSENTS, AuthorizationType
from compliance.card.rules import NOT_RECORDED
from compliance.card.source_registry import SourceType
from exports.overview import daily_figures, figures
from exports.overview.figures import AgeBand, Figures
from salesconnect.lib import chart
from salesconnect.lib.chart import Point, Share, Value
from salesconnect.lib.slug_choices import SlugChoices

TREND_DAYS = 90
FEWEST_DAYS = 2


def people_url(**filters: str | list[str]) -> str:
    query = f"?{urlencode(filters, doseq=True)}" if filters else ""
    return f"{reverse('people')}{query}"


def kinds(numbers: Figures, name: str, kind: type[SlugChoices], *, live: bool) -> list[Share]:
    """Return a bar for each choice, in the order of the card's form, *Not recorded* first."""
    labels = {NOT_RECORDED: _("Not recorded"), **{choice.slug: str(choice.label) for choice in kind}}
    field = f"{name}_type"
    rows = []
    for slug, label in labels.items():
        number = numbers[name].get(slug, 0)
        rows.append((label, Value(number, people_url(**{field: slug}) if live else "", slug)))
    return chart.shares(rows, numbers[figures.TOTAL][""])


def coverage(numbers: Figures, *, live: bool) -> list[dict[str, Any]]:
    return [
        {
            "id": "authorization",
            "title": _("People by authorization"),
            "head": _("Authorization"),
            "shares": kinds(numbers, figures.AUTHORIZATION, AuthorizationType, live=live),
        },
        {
            "id": "source",
            "title": _("People by source"),
            "head": _("Source"),
            "shares": kinds(numbers, figures.SOURCE, SourceType, live=live),
        },
    ]


def consents(numbers: Figures, day: dt.date, *, live: bool) -> dict[str, Any]:
    points = []
    for age in figures.ages(day):
        number, words = numbers[figures.CONSENT_AGE].get(age.key, 0), _age_words(age)
        url = people_url(**_age_filters(age)) if live else ""
        points.append(Point(_age_label(age), words, (Value(number, url, f"{words}: {intcomma(number)}"),)))
    return {
        "id": "consents",
        "title": _("Consents by age"),
        "head": _("Age"),
        "series": [_("Consents")],
        "note": _("Months since the consent was given."),
        "chart": chart.columns(points),
    }


def trend(day: dt.date, numbers: Figures) -> dict[str, Any] | None:
    """Return the chart of the last ninety days; None until there are figures of two days."""
    kept = daily_figures.series((figures.TOTAL, figures.AUTHORIZATION), TREND_DAYS, day)
    points = [_trend_point(at, found) for at, found in (*kept, (day, numbers))]
    if len(points) < FEWEST_DAYS:
        return None
    return {
        "id": "trend",
        "title": _("The last ninety days"),
        "head": _("Day"),
        "series": [_("People"), _("With recorded authorization")],
        "chart": chart.lines(points),
    }


def recorded(numbers: Figures) -> int:
    return numbers[figures.TOTAL][""] - numbers[figures.AUTHORIZATION].get(NOT_RECORDED, 0)


def _trend_point(day: dt.date, numbers: Figures) -> Point:
    label = date_format(day, pgettext("date format", "j M"))
    return Point(label, date_format(day), (Value(numbers[figures.TOTAL][""]), Value(recorded(numbers))))


def _age_filters(age: AgeBand) -> dict[str, str | list[str]]:
    days = {"consent_after": age.since, "consent_before": age.until}
    if not any(days.values()):
        return {"authorization_type": [consent.slug for consent in CONSENTS]}
    return {name: day.isoformat() for name, day in days.items() if day}


def _age_label(age: AgeBand) -> str:
    low, high = age.months
    return f"{low}–{high}" if high else f"{low}+"


def _age_words(age: AgeBand) -> str:
    low, high = age.months
    if not high:
        return ngettext("More than %(n)d month", "More than %(n)d months", low) % {"n": low}
    return _("%(low)d to %(high)d months") % {"low": low, "high": high}
