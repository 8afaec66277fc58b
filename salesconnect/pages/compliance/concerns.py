"""The concerns at the top of the Compliance page: what needs attention, one sentence each with a link."""

import datetime as dt
from dataclasses import dataclass

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.translation import ngettext

from compliance.card.rules import NOT_RECORDED
from compliance.verdict import policy
from compliance.verdict.reason_registry import months_before
from exports.overview import figures
from exports.overview.figures import Figures
from salesconnect.pages.compliance import charts


@dataclass(frozen=True, slots=True)
class Concern:
    text: str
    url: str


def concerns(numbers: Figures, old_query: dict[str, str], *, live: bool) -> list[Concern]:
    """Return what needs attention, most important first; without links for a past day."""
    found = []
    if missing := numbers[figures.AUTHORIZATION].get(NOT_RECORDED, 0):
        words = ngettext(
            "%(n)s person has no recorded authorization.", "%(n)s people have no recorded authorization.", missing
        )
        found.append(Concern(words % {"n": intcomma(missing)}, charts.people_url(authorization_type=NOT_RECORDED)))
    if old := numbers.get(figures.OLD_CONSENTS, {}).get("", 0):
        words = ngettext("%(n)s consent is old.", "%(n)s consents are old.", old)
        found.append(Concern(words % {"n": intcomma(old)}, charts.people_url(**old_query)))
    return [concern if live else Concern(concern.text, "") for concern in found]


def old_consents(day: dt.date) -> dict[str, str]:
    """Return the People filters for consents that are old under the policy in force."""
    return {"consent_before": months_before(day, policy.current().consent_months).isoformat()}
