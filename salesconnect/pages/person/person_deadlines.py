"""What is due for one person: open requests, and announced erasures by retention rules."""

from typing import Any

from django.db import connection
from django.utils import timezone

from exports.requests import open_requests
from exports.retention import retention
from salesconnect.common import subject_request_words

# Nearly everybody has neither; this saves the page of those people two queries.
EITHER = """
    SELECT EXISTS (SELECT FROM exports_datarequest WHERE contact_id = %(person)s)
        OR EXISTS (SELECT FROM exports_retentioncase WHERE contact_id = %(person)s)
"""


def waiting_for(contact_id: int) -> dict[str, Any]:
    """Return a person's open requests, the first due first, and the retention rules that announce an erasure."""
    with connection.cursor() as cursor:
        cursor.execute(EITHER, {"person": contact_id})
        if not cursor.fetchone()[0]:
            return {"requests": [], "warnings": []}
    now = timezone.now()
    warnings = [(case.rule, case.erased_from) for case in retention.warnings(contact_id)]
    return {
        "requests": [
            (row, subject_request_words.due_words(row), open_requests.is_overdue(row))
            for row in open_requests.waiting_of(contact_id)
        ],
        "warnings": [(rule, moment, moment is not None and moment <= now) for rule, moment in warnings],
    }
