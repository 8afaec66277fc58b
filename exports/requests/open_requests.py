"""Which requests of data subjects are open, due soon or overdue; for the register, the overview and the handlers."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from exports.models import DataRequest

SOON = dt.timedelta(days=7)
RUNNING = Q(state=DataRequest.State.OPEN)


@dataclass(frozen=True, slots=True)
class RequestCounts:
    """Numbers of open requests; paused ones are included in `open`."""

    open: int
    paused: int
    overdue: int
    soon: int


def overdue(today: dt.date | None = None) -> Q:
    """Return the condition for requests whose due date passed before they were answered or paused."""
    stopped_late = Q(state=DataRequest.State.PAUSED, paused_on__gt=F("due"))
    return RUNNING & Q(due__lt=today or timezone.localdate()) | stopped_late


def is_overdue(row: DataRequest) -> bool:
    return not row.ended and days_late(row) > 0


def days_late(row: DataRequest) -> int:
    """Return how many days after its due date a request was answered, or is still open; 0 if it is in time."""
    if row.ended:
        return row.late_by
    if row.state == DataRequest.State.PAUSED and (row.paused_on is None or row.paused_on <= row.due):
        return 0
    return max(0, (timezone.localdate() - row.due).days)


def soon(today: dt.date | None = None) -> Q:
    day = today or timezone.localdate()
    return RUNNING & Q(due__gte=day, due__lte=day + SOON)


def counts(handler_id: int | None = None) -> RequestCounts:
    """Count the open requests, of one handler if one is given."""
    found = waiting() if handler_id is None else queue_of(handler_id)
    return RequestCounts(
        **found.aggregate(
            open=Count("pk"),
            paused=Count("pk", filter=~RUNNING),
            overdue=Count("pk", filter=overdue()),
            soon=Count("pk", filter=soon()),
        )
    )


def waiting() -> QuerySet[DataRequest]:
    return DataRequest.objects.exclude(state=DataRequest.State.DONE)


def queue_of(user_id: int) -> QuerySet[DataRequest]:
    return waiting().filter(handler_id=user_id).select_related("contact").order_by("due", "id")


def waiting_of(contact_id: int) -> QuerySet[DataRequest]:
    return waiting().filter(contact=contact_id).order_by("due", "id")


def people_with_open_requests() -> QuerySet[DataRequest, int | None]:
    return waiting().filter(contact__isnull=False).values_list("contact_id", flat=True)
