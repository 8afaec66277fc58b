"""The Compliance page: concerns, key figures and charts, of now or of the end of a past day."""

import datetime as dt
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from compliance.card.rules import NOT_RECORDED
from compliance.review import queues
from exports.files.csv_column_registry import content_disposition
from exports.overview import daily_figures, figures
from exports.overview.figures import Figures
from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.lib import csv
from salesconnect.lib.errors import Missing
from salesconnect.pages.compliance import charts, concerns
from salesconnect.pages.compliance.forms import DayForm
from salesconnect.pages.compliance.status_items import StatusItems, current_status, number_of
from salesconnect.pages.unsubscribes.over_time import figures_chart


@require_safe
def overview(request: SignedInRequest) -> HttpResponse:
    actor = page_actor(request)
    day = DayForm(request.GET).day()
    context: dict[str, Any] = {"day": day, "today": timezone.localdate()}
    try:
        numbers = daily_figures.on(day, actor=actor)
    except Missing:
        return render(request, "compliance/overview.html", context, status=404)
    return render(request, "compliance/overview.html", context | _shown(numbers, day))


@require_safe
def figures_file(request: SignedInRequest) -> HttpResponse:
    """Download all figures as CSV. They contain no personal data, so nothing is recorded."""
    day = DayForm(request.GET).day()
    numbers = daily_figures.on(day, actor=page_actor(request))
    rows = [("Day", "Figure", "Kind", "Number")]
    rows += [(f"{day}", name, key, f"{number}") for name, of in numbers.items() for key, number in of.items()]
    response = HttpResponse(csv.BOM + "".join(map(csv.line, rows)), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = content_disposition(f"compliance-{day}.csv")
    return response


def _shown(numbers: Figures, day: dt.date) -> dict[str, Any]:
    live, old = day == timezone.localdate(), concerns.old_consents(day)
    found = current_status() if live else StatusItems()
    return {
        "live": live,
        "total": numbers[figures.TOTAL][""],
        "concerns": [*concerns.concerns(numbers, old, live=live), *found.concerns],
        "status_items": found.all,
        "numbers": _numbers(numbers, old, live=live),
        "coverage": charts.coverage(numbers, live=live),
        "charts": [
            charts.consents(numbers, day, live=live),
            figures_chart("week", day) | {"id": "said", "title": _("Unsubscribes and re-consents by week")},
            *filter(None, [charts.trend(day, numbers)]),
        ],
    }


def _numbers(numbers: Figures, old: dict[str, str], *, live: bool) -> list[dict[str, Any]]:
    total = numbers[figures.TOTAL][""]
    missing = numbers[figures.AUTHORIZATION].get(NOT_RECORDED, 0)
    shown: list[tuple[str, int, dict[str, str], str]] = [
        (_("People"), total, {}, ""),
        (_("Not recorded"), missing, {"authorization_type": NOT_RECORDED}, _percent(missing, total)),
        (_("Old consents"), numbers[figures.OLD_CONSENTS][""], old, _due(numbers) if live else ""),
        (pgettext("people", "Unsubscribed"), numbers[figures.UNSUBSCRIBED][""], {"unsubscribed": "true"}, ""),
        (pgettext("people", "Restricted"), numbers[figures.RESTRICTED][""], {"restricted": "true"}, ""),
    ]
    return [
        {"label": label, "number": number, "url": charts.people_url(**query) if live else "", "note": note}
        for label, number, query, note in shown
    ]


def _due(numbers: Figures) -> str:
    """Return how many old consents are due for review; restricted people and reviewed consents are not."""
    waiting = number_of(queues.count("old_consents"))
    return _("%(n)s due for review") % {"n": waiting} if numbers[figures.OLD_CONSENTS][""] else ""


def _percent(part: int, whole: int) -> str:
    return _("%(percent)d%% of all") % {"percent": round(100 * part / whole)} if whole else ""
