"""Which requests of people are due: for the register, the dashboard and everybody's own queue."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from exports.models import DataRequest

SOON = dt.timedelta(days=7)
RUNNING = Q(state=DataRequest.State.OPEN)


@dataclass(frozen=True, slots=True)
class Clocks:
    """How many requests are open, paused among them, overdue, and due within a week."""

    open: int
    paused: int
    overdue: int
    soon: int


def overdue(today: dt.date | None = None) -> Q:
    """Return the condition of requests whose last day has passed; a clock that stands still is never late."""
    return RUNNING & Q(due__lt=today or timezone.localdate())


def is_overdue(row: DataRequest) -> bool:
    """Tell the same of one request."""
    return row.state == DataRequest.State.OPEN and row.due < timezone.localdate()


def soon(today: dt.date | None = None) -> Q:
    """Return the condition of requests that are due within a week."""
    day = today or timezone.localdate()
    return RUNNING & Q(due__gte=day, due__lte=day + SOON)


def counts(handler_id: int | None = None) -> Clocks:
    """Return how the requests stand, those of one handler alone where one is named."""
    found = waiting() if handler_id is None else queue_of(handler_id)
    return Clocks(
        **found.aggregate(
            open=Count("pk"),
            paused=Count("pk", filter=~RUNNING),
            overdue=Count("pk", filter=overdue()),
            soon=Count("pk", filter=soon()),
        )
    )


def waiting() -> QuerySet[DataRequest]:
    """Return the requests that are not done."""
    return DataRequest.objects.exclude(state=DataRequest.State.DONE)


def queue_of(user_id: int) -> QuerySet[DataRequest]:
    """Return what waits for somebody, the most pressing first."""
    return waiting().filter(handler_id=user_id).select_related("contact").order_by("due", "id")


def waiting_of(contact_id: int) -> QuerySet[DataRequest]:
    """Return what one person waits for, the most pressing first."""
    return waiting().filter(contact=contact_id).order_by("due", "id")


def people_with_open_requests() -> QuerySet[DataRequest, int | None]:
    """Return the numbers of the people who wait for an answer."""
    return waiting().filter(contact__isnull=False).values_list("contact_id", flat=True)
