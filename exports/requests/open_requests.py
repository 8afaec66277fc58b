"""Which requests of people are due: for the register, the dashboard and everybody's own queue."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from exports.models import DataRequest

SOON = dt.timedelta(days=7)
RUNNING = Q(state=DataRequest.State.OPEN)


@dataclass(frozen=True, slots=True)
class RequestCounts:
    """How many requests are open, paused among them, overdue, and due within a week."""

    open: int
    paused: int
    overdue: int
    soon: int


def overdue(today: dt.date | None = None) -> Q:
    """Return the condition of open requests whose last day passed while their clock ran."""
    stopped_late = Q(state=DataRequest.State.PAUSED, paused_on__gt=F("due"))
    return RUNNING & Q(due__lt=today or timezone.localdate()) | stopped_late


def is_overdue(row: DataRequest) -> bool:
    return not row.ended and days_late(row) > 0


def days_late(row: DataRequest) -> int:
    """Return how many days after its last day a request was answered, or still is not; 0 while it is in time."""
    if row.ended:
        return row.late_by
    if row.state == DataRequest.State.PAUSED and (row.paused_on is None or row.paused_on <= row.due):
        return 0
    return max(0, (timezone.localdate() - row.due).days)


def soon(today: dt.date | None = None) -> Q:
    """Return the condition of requests that are due within a week."""
    day = today or timezone.localdate()
    return RUNNING & Q(due__gte=day, due__lte=day + SOON)


def counts(handler_id: int | None = None) -> RequestCounts:
    """Return how the requests stand, those of one handler alone where one is named."""
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
    """Return what waits for somebody, the most pressing first."""
    return waiting().filter(handler_id=user_id).select_related("contact").order_by("due", "id")


def waiting_of(contact_id: int) -> QuerySet[DataRequest]:
    """Return what one person waits for, the most pressing first."""
    return waiting().filter(contact=contact_id).order_by("due", "id")


def people_with_open_requests() -> QuerySet[DataRequest, int | None]:
    return waiting().filter(contact__isnull=False).values_list("contact_id", flat=True)
