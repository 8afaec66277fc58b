"""The list *Queues and checks*: open requests, people to inform, reviews, sync, verification, record check."""

from dataclasses import dataclass, field

from django.contrib.humanize.templatetags.humanize import intcomma
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from compliance.review import queues
from compliance.review.queues import CappedCount
from contacts.sealing import verification
from exports.integrity import check_run
from exports.integrity.all_checks import BY_NAME
from exports.requests import open_requests
from salesconnect.lib.web.paging import address
from salesconnect.pages.compliance.concerns import Concern
from salesconnect.pages.sync.sync_health import health_of
from unsubscribes.crm import provider_registry
from unsubscribes.crm.connection import connecting
from unsubscribes.crm.monitoring import status


@dataclass(frozen=True, slots=True)
class StatusItem:
    """A queue or a check: its state in words, with a link; `bad` if somebody must act.

    `late` says how many are overdue; `late_url` lists them.
    """

    icon: str
    label: str
    text: str
    url: str = ""
    bad: bool = False
    late: str = ""
    late_url: str = ""

    @property
    def concern(self) -> Concern:
        words = f"{self.text}, {self.late}." if self.late else self.text
        return Concern(f"{self.label}: {words}", self.late_url or self.url)


@dataclass(frozen=True, slots=True)
class StatusItems:
    all: list[StatusItem] = field(default_factory=list)

    @property
    def concerns(self) -> list[Concern]:
        return [item.concern for item in self.all if item.bad]


def current_status() -> StatusItems:
    return StatusItems(
        [
            _requests(),
            _to_inform(queues.count("to_inform"), queues.count("to_inform_overdue")),
            _interests(queues.count("old_interests")),
            *_sync(),
            _history(),
            _records(),
        ]
    )


def number_of(waiting: CappedCount) -> str:
    return f"{intcomma(waiting.number)}{'+' if waiting.capped else ''}"


def _requests() -> StatusItem:
    found = open_requests.counts()
    words = ngettext("%(n)s request is open", "%(n)s requests are open", found.open) % {"n": intcomma(found.open)}
    icon, label, url = "clipboard-list", _("Requests of people"), reverse("requests")
    if not found.overdue:
        return StatusItem(icon, label, f"{words}.", url)
    late = _("%(n)s of them overdue") % {"n": intcomma(found.overdue)}
    return StatusItem(icon, label, words, url, bad=True, late=late, late_url=address({"view": "overdue"}, url))


def _to_inform(waiting: CappedCount, late: CappedCount) -> StatusItem:
    text = ngettext("%(n)s person must be informed", "%(n)s people must be informed", waiting.number)
    words, url = text % {"n": number_of(waiting)}, reverse("informing")
    icon, label = "mail", _("Information duty (art. 14)")
    if not late.number:
        return StatusItem(icon, label, f"{words}.", url)
    after = _("%(n)s past the one-month limit") % {"n": number_of(late)}
    return StatusItem(icon, label, words, url, bad=True, late=after, late_url=address({"show": "overdue"}, url))


def _interests(waiting: CappedCount) -> StatusItem:
    text = ngettext("%(n)s is due for review.", "%(n)s are due for review.", waiting.number)
    return StatusItem(
        "scale", _("Legitimate interests"), text % {"n": number_of(waiting)}, f"{reverse('review')}?show=interests"
    )


def _sync() -> list[StatusItem]:
    if connecting.shown().pk is None and not connecting.by_environment():
        return []
    found = health_of(status.status(), status.readings())
    label, bad = provider_registry.spoken_of(), found.icon == "alert-triangle"
    return [StatusItem("refresh", label, found.words, reverse("sync"), bad)]


def _records() -> StatusItem:
    label, found = _("Stored records"), check_run.last()
    if found is None or found.finished_at is None:
        return StatusItem("checklist", label, _("Not checked yet. Runs every night."))
    words: dict[str, object] = {"date": date_format(localtime(found.finished_at), "DATETIME_FORMAT")}
    if not found.found:
        return StatusItem("checklist", label, _("Checked on %(date)s: all records agree.") % words)
    kinds = "; ".join(
        f"{words_of(each['check'])}: {intcomma(each['left'] or each['count'])}" for each in found.differences
    )
    words |= {"n": intcomma(found.left or found.found), "kinds": kinds}
    if not found.left:
        text = ngettext(
            "Checked on %(date)s: %(n)s difference was put right (%(kinds)s).",
            "Checked on %(date)s: %(n)s differences were put right (%(kinds)s).",
            found.found,
        )
        return StatusItem("checklist", label, text % words)
    text = ngettext(
        "Checked on %(date)s: %(n)s difference (%(kinds)s).",
        "Checked on %(date)s: %(n)s differences (%(kinds)s).",
        found.left,
    )
    return StatusItem("checklist", label, text % words, bad=True)


def words_of(name: str) -> str:
    return BY_NAME[name].in_words() if name in BY_NAME else name


def _history() -> StatusItem:
    label, found = _("History"), verification.last()
    if found is None or found.finished_at is None:
        return StatusItem("fingerprint", label, _("Not verified yet. Runs weekly or on demand."))
    words = {"n": intcomma(found.events), "date": date_format(localtime(found.finished_at), "DATETIME_FORMAT")}
    if found.good:
        return StatusItem("fingerprint", label, _("%(n)s events verified on %(date)s: nothing was changed.") % words)
    told = str(found.get_problem_display())
    if found.bad_event:
        told += " " + _("It is event %(id)d.") % {"id": found.bad_event}
    return StatusItem("fingerprint", label, told, bad=True)
