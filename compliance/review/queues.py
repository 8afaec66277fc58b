"""What waits to be done about people, counted: for the dashboard, and above each queue."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import QuerySet

from compliance.models import ComplianceCard
from compliance.review import informing, review
from contacts.people.queries import COUNT_CAP

QUEUES: dict[str, Callable[[], QuerySet[ComplianceCard]]] = {
    "to_inform": informing.waiting,
    "to_inform_overdue": informing.overdue,
    "old_consents": review.old_consents,
    "old_interests": review.old_interests,
}


@dataclass(frozen=True, slots=True)
class CappedCount:
    """How many people wait, exact up to 10,000, and whether there are more."""

    number: int
    capped: bool


def count(name: str, owner_id: int | None = None, cap: int = COUNT_CAP) -> CappedCount:
    """Return how many people wait in a queue, those of one owner or all."""
    found = of_owner(QUEUES[name](), owner_id).order_by()[: cap + 1].count()
    return CappedCount(min(found, cap), found > cap)


def counts(owner_id: int | None = None) -> dict[str, CappedCount]:
    return {name: count(name, owner_id) for name in QUEUES}


def restricted(cap: int = COUNT_CAP) -> CappedCount:
    found = ComplianceCard.objects.filter(restricted_at__isnull=False)[: cap + 1].count()
    return CappedCount(min(found, cap), found > cap)


def of_owner(cards: QuerySet[ComplianceCard], owner_id: int | None) -> QuerySet[ComplianceCard]:
    """Return those whose person is the owner's; all when none is named."""
    return cards if owner_id is None else cards.filter(contact__owner=owner_id)
