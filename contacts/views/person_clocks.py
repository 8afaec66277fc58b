"""The clocks that run for one person: requests that wait for an answer, and an erasure that is announced."""

from typing import Any

from django.utils import timezone

from exports import clocks, retention, wording


def waiting_for(contact_id: int) -> dict[str, Any]:
    """Return a person's open requests, the most pressing first, and the rules of retention that warn of the person."""
    now = timezone.now()
    warnings = [(case.rule, case.erased_from) for case in retention.warnings(contact_id)]
    return {
        "requests": [(row, wording.due_words(row), clocks.is_overdue(row)) for row in clocks.waiting_of(contact_id)],
        "warnings": [(rule, moment, moment is not None and moment <= now) for rule, moment in warnings],
    }
