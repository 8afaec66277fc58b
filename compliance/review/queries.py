"""Reads of the compliance card alone, for what need not know who the people are."""

from compliance.models import ComplianceCard
from contacts.people.queries import COUNT_CAP


def not_recorded_sources(cap: int = COUNT_CAP) -> tuple[int, bool]:
    """Return how many people have no source on record, exact up to `cap`, and whether there are more."""
    number = ComplianceCard.objects.filter(source_type=None)[: cap + 1].count()
    return min(number, cap), number > cap


def not_recorded_count(cap: int = COUNT_CAP) -> tuple[int, bool]:
    """Return how many people have no legal basis on record, exact up to `cap`, and whether there are more."""
    number = ComplianceCard.objects.filter(authorization_type=None)[: cap + 1].count()
    return min(number, cap), number > cap
