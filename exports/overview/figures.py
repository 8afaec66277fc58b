"""The figures of the Compliance page: what is counted, now or at the end of a past day."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils import timezone

from compliance.card import headcounts
from compliance.card.headcounts import Headcount
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import NOT_RECORDED
from compliance.card.source_registry import SourceType
from compliance.models import ComplianceCard, Policy
from compliance.verdict import policy
from compliance.verdict.reason_registry import months_before

Figures = Mapping[str, Mapping[str, int]]

TOTAL, UNSUBSCRIBED, RESTRICTED, OLD_CONSENTS = "total", "unsubscribed", "restricted", "old_consents"
AUTHORIZATION, SOURCE, CONSENT_AGE = "authorization", "source", "consent_age"
SINGLE = (TOTAL, UNSUBSCRIBED, RESTRICTED, OLD_CONSENTS)
"""Figures with a single number; their key is the empty string."""

AGES = (0, 6, 12, 18, 24, 36)
"""The limits, in months, between the age bands of consents."""


@dataclass(frozen=True, slots=True)
class AgeBand:
    """Consents of an age in months: given from `since` (None: no limit) to before `until` (None: up to today)."""

    key: str
    months: tuple[int, int | None]
    since: dt.date | None
    until: dt.date | None

    def holds(self, given: dt.date) -> bool:
        return (self.since is None or given >= self.since) and (self.until is None or given < self.until)


def ages(today: dt.date) -> list[AgeBand]:
    edges = [months_before(today, months) for months in AGES]
    found = []
    for place, months in enumerate(AGES):
        last = place == len(AGES) - 1
        upper = None if last else AGES[place + 1]
        key = f"{months}_" if last else f"{months}_{upper}"
        since = None if last else edges[place + 1]
        found.append(AgeBand(key, (months, upper), since, edges[place] if months else None))
    return found


def now(today: dt.date | None = None) -> Figures:
    today, rules = today or timezone.localdate(), policy.current()
    edges = [age.since for age in ages(today) if age.since]
    found = headcounts.present([*edges, months_before(today, rules.consent_months)])
    return {**of_kinds(found, today, rules), RESTRICTED: {"": restricted()}}


def restricted() -> int:
    return ComplianceCard.objects.filter(restricted_at__isnull=False).count()


def at_end_of(day: dt.date) -> Figures:
    """Return the figures at the end of a day of the site's time zone, calculated from the events."""
    midnight = timezone.make_aware(dt.datetime.combine(day + dt.timedelta(days=1), dt.time()))
    found = of_kinds(headcounts.before(midnight), day, policy.at(midnight))
    return {**found, RESTRICTED: {"": headcounts.restricted_before(midnight)}}


def of_kinds(found: Iterable[Headcount], day: dt.date, rules: Policy) -> Figures:
    """Add the headcounts up to figures; the age of consents is their age on `day`."""
    total = unsubscribed = old = 0
    grounds = dict.fromkeys((NOT_RECORDED, *AuthorizationType.slugs()), 0)
    sources = dict.fromkeys((NOT_RECORDED, *SourceType.slugs()), 0)
    bins, limit = ages(day), months_before(day, rules.consent_months)
    by_age = dict.fromkeys((age.key for age in bins), 0)
    for kind in found:
        number = kind.number
        total += number
        unsubscribed += number if kind.unsubscribed else 0
        grounds[AuthorizationType(kind.authorization_type).slug if kind.authorization_type else NOT_RECORDED] += number
        sources[SourceType(kind.source_type).slug if kind.source_type else NOT_RECORDED] += number
        if kind.consent_date:
            by_age[next(age.key for age in bins if age.holds(kind.consent_date))] += number
            old += number if kind.consent_date < limit else 0
    return {
        TOTAL: {"": total},
        UNSUBSCRIBED: {"": unsubscribed},
        OLD_CONSENTS: {"": old},
        AUTHORIZATION: grounds,
        SOURCE: sources,
        CONSENT_AGE: by_age,
    }


def body(numbers: Figures) -> dict[str, int | dict[str, int]]:
    """Return figures as the API shows them: a number for single ones, else an object."""
    return {name: of[""] if name in SINGLE else dict(of) for name, of in numbers.items()}
