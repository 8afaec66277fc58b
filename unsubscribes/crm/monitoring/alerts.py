"""What is not as it should be though nothing has failed: work that waits too long, clocks, careless writing."""

import datetime as dt
from collections.abc import Iterator
from typing import NamedTuple

from django.db.models import Count, Min, Q, QuerySet
from django.db.models.functions import Now

from unsubscribes.crm import clock
from unsubscribes.crm.models import OutboxEntry, SyncConnection, SyncJob, SyncNotice, SyncRun
from unsubscribes.crm.outbox import outbox
from unsubscribes.crm.provider import UNCONDITIONAL

SILENT = dt.timedelta(minutes=3)
LEASED = dt.timedelta(minutes=5)
LATE = dt.timedelta(minutes=15)
LONG = dt.timedelta(minutes=30)


class Alert(NamedTuple):
    """A problem of the sync. `number` and `since` are for work that is waiting, `skew` for a clock that is wrong."""

    code: str
    number: int | None = None
    since: dt.datetime | None = None
    skew: dt.timedelta | None = None


def alerts() -> list[Alert]:
    """Return the problems, the worst first; none while there is no connection, or it is off or paused by hand."""
    row = SyncConnection.objects.exclude(state__in=(SyncConnection.State.OFF, SyncConnection.State.PAUSED)).first()
    return [] if row is None else [*_org(row), *_stuck()]


def _org(row: SyncConnection) -> Iterator[Alert]:
    if row.conditional_writes is False:
        yield Alert(UNCONDITIONAL)
    if clock.is_off(row.clock_ahead):
        yield Alert(clock.CODE, skew=row.clock_ahead)


def _stuck() -> Iterator[Alert]:
    """Yield the work that has been waiting too long. Each query reads open rows only, so history costs nothing."""
    states = SyncRun.State
    silent = SyncRun.objects.filter(state=states.RUNNING, heartbeat_at__lt=Now() - SILENT)
    yield from _waits("RUN_SILENT", silent, "heartbeat_at")
    queued = SyncRun.objects.filter(state=states.QUEUED, created_at__lt=Now() - LATE)
    yield from _waits("RUN_WAITS", queued, "created_at")
    notices = SyncNotice.objects.filter(at__lt=Now() - LATE)
    yield from _waits("NOTICES_WAIT", notices, "at")
    due = OutboxEntry.objects.filter(state__in=outbox.WAITING, due_at__lt=Now() - LATE)
    yield from _waits("OUTBOX_WAITS", due, "due_at")
    leased = Q(leased_until__lt=Now() - LEASED) & ~Q(lease__in=list(SyncJob.objects.values_list("lease", flat=True)))
    left = OutboxEntry.objects.filter(leased, state=OutboxEntry.State.LEASED)
    yield from _waits("LEASE_LEFT", left, "leased_until")
    jobs = SyncJob.objects.filter(created_at__lt=Now() - LONG)
    yield from _waits("JOB_LASTS", jobs, "created_at")


def _waits(code: str, waiting: QuerySet, since: str) -> Iterator[Alert]:
    found = waiting.aggregate(number=Count("pk"), since=Min(since))
    if found["number"]:
        yield Alert(code, found["number"], found["since"])
