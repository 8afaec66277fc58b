"""Is all well? What somebody should look at, each in a sentence with the way to it."""

import datetime as dt
from dataclasses import dataclass

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.translation import ngettext

from compliance.rules import NOT_RECORDED
from exports.overview import figures
from exports.overview.figures import Numbers
from exports.overview.views import charts

OLD_CONSENT = 24
"""The months after which a consent should be looked at again."""


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that is not as it should be, and where it is put right."""

    text: str
    url: str


def concerns(numbers: Numbers, day: dt.date, *, live: bool) -> list[Concern]:
    """Return what is not well, the weightiest first; without ways to it when it is about a past day."""
    found = []
    if missing := numbers[figures.AUTHORIZATION].get(NOT_RECORDED, 0):
        words = ngettext(
            "%(n)s person has no recorded authorization.", "%(n)s people have no recorded authorization.", missing
        )
        found.append(Concern(words % {"n": intcomma(missing)}, charts.people_url(authorization_type=NOT_RECORDED)))
    if old := charts.older_than(numbers, OLD_CONSENT, day):
        words = ngettext(
            "%(n)s consent is older than %(months)d months.", "%(n)s consents are older than %(months)d months.", old
        )
        before = figures.months_before(day, OLD_CONSENT).isoformat()
        found.append(
            Concern(words % {"n": intcomma(old), "months": OLD_CONSENT}, charts.people_url(consent_before=before))
        )
    return [concern if live else Concern(concern.text, "") for concern in found]
