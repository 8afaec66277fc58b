"""Texts about data subjects' requests, and about what an erasure removes."""

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from exports.erasure.erasure import ErasureReport
from exports.models import DataRequest
from exports.requests import deadlines, open_requests


def goes(report: ErasureReport) -> list[str]:
    files, mentions = report.files, report.mentions
    lines = [_("Name, email address and all other contact details"), _("The compliance card")]
    counted = (
        (report.rows.get("events", 0), _events),
        (report.mails, _mails),
        (files.get("evidence", 0), _evidence),
        (files.get("exports", 0), _exports),
        (files.get("imports", 0), _imports),
        (mentions.get("saved_views", 0), _views),
        (mentions.get("rejected_rows", 0), _rejected),
        (sum(mentions.values()) - mentions.get("saved_views", 0) - mentions.get("rejected_rows", 0), _places),
    )
    return lines + [words(number) % {"n": number} for number, words in counted if number]


def _events(n: int) -> str:
    return ngettext("What one entry of the history says", "What %(n)d entries of the history say", n)


def _mails(n: int) -> str:
    return ngettext("%(n)d mail", "%(n)d mails", n)


def _evidence(n: int) -> str:
    return ngettext("%(n)d document of a consent", "%(n)d documents of consents", n)


def _exports(n: int) -> str:
    return ngettext("The row in %(n)d file of an export", "The rows in %(n)d files of exports", n)


def _imports(n: int) -> str:
    return ngettext(
        "%(n)d file that waits to be imported and holds this person",
        "%(n)d files that wait to be imported and hold this person",
        n,
    )


def _views(n: int) -> str:
    return ngettext("%(n)d saved view that names this person", "%(n)d saved views that name this person", n)


def _rejected(n: int) -> str:
    return ngettext("%(n)d row that an import did not take", "%(n)d rows that imports did not take", n)


def _places(n: int) -> str:
    return ngettext(
        "The words in %(n)d other place that name this person",
        "The words in %(n)d other places that name this person",
        n,
    )


def due_words(row: DataRequest) -> str:
    late = open_requests.days_late(row)
    if row.ended and late:
        words = {"outcome": DataRequest.Outcome(row.outcome).label, "n": late}
        return ngettext("%(outcome)s, %(n)d day late", "%(outcome)s, %(n)d days late", late) % words
    if row.ended:
        return str(DataRequest.Outcome(row.outcome).label)
    if late:
        return ngettext("%(n)d day overdue", "%(n)d days overdue", late) % {"n": late}
    if row.paused_on:
        return _("Paused since %(day)s") % {"day": date_format(row.paused_on)}
    days = (row.due - timezone.localdate()).days
    if days == 0:
        return _("Due today")
    return ngettext("Due tomorrow", "Due in %(n)d days", days) % {"n": days}


def late_words(row: DataRequest) -> str:
    """Return how many days late a request is or was; empty if it is in time."""
    late = open_requests.days_late(row)
    return ngettext("%(n)d day", "%(n)d days", late) % {"n": late} if late else ""


def told_late(row: DataRequest) -> bool:
    """Tell whether an extension came after the first month; art. 12(3) requires it to be told within that month."""
    if row.extended_on is None:
        return False
    country = settings.HOLIDAYS_OF
    first = deadlines.due(row.received, extended=False, paused_days=row.paused_days, country=country)
    return row.extended_on > first


def act_title(row: DataRequest) -> str:
    words = {
        DataRequest.Kind.ERASURE: _("Erase %(name)s?"),
        DataRequest.Kind.RESTRICTION: _("Restrict the processing of %(name)s?"),
        DataRequest.Kind.OBJECTION: _("Unsubscribe %(name)s?"),
    }
    return words.get(DataRequest.Kind(row.kind), "%(name)s") % {"name": row.contact}
