"""The status of the sync in numbers, for the page, the API and the metrics."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet, Sum
from django.db.models.functions import Now

from unsubscribes.crm import provider_registry
from unsubscribes.crm.models import OutboxEntry, SyncConnection, SyncCursor, SyncError, SyncNotice, SyncRecord, SyncRun
from unsubscribes.crm.outbox import outbox
from unsubscribes.crm.outbox.outbox import KEEPS_CLEARING
from unsubscribes.crm.reading.applying import OTHER_ADDRESS
from unsubscribes.crm.reading.overruling import OVERRULED

# Error codes that mean that both sides disagreed about somebody.
CONFLICTS = (OVERRULED, KEEPS_CLEARING, OTHER_ADDRESS)
# A watermark that has not advanced for this long while reading works is held back by an open transaction in the CRM.
HELD_BACK = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Status:
    """The state of the connection, and its figures.

    `lag` is in seconds by object, None before the first read; `outbox` counts entries by state; `oldest` is when the
    oldest waiting entry was created; `budget` is the part of the `allowed` API calls that the sync may use.
    """

    state: str
    paused_until: dt.datetime | None
    message: str
    lag: dict[str, int | None]
    outbox: dict[str, int]
    oldest: dt.datetime | None
    used: int | None
    allowed: int | None
    budget: int | None

    @property
    def waiting(self) -> int:
        return sum(self.outbox[str(state)] for state in (*outbox.WAITING, OutboxEntry.State.LEASED))

    @property
    def dead(self) -> int:
        return self.outbox[str(OutboxEntry.State.DEAD)]


def status() -> Status:
    row = SyncConnection.objects.first() or SyncConnection()
    return Status(
        state=row.state,
        paused_until=row.paused_until,
        message=row.message,
        lag=_lag(provider_registry.of(row).sobjects),
        outbox=_outbox(),
        oldest=_oldest(),
        used=row.usage_used,
        allowed=row.usage_max,
        budget=None if row.usage_max is None else row.usage_max * row.budget_percent // 100,
    )


def records_of(contact_id: int) -> QuerySet[SyncRecord]:
    found = SyncRecord.objects.filter(pk__in=outbox.affected_records([contact_id]))
    return found.prefetch_related("entries").order_by("sobject", "sf_id")


@dataclass(frozen=True, slots=True)
class LinkedRecord:
    """A record of a person, its newest outbox entry, and its URL in the CRM."""

    record: SyncRecord
    entry: OutboxEntry | None
    url: str


def linked(contact_id: int) -> list[LinkedRecord] | None:
    """Return the records of one person; None where no CRM is connected."""
    row = SyncConnection.objects.only("provider", "instance_url").first()
    if row is None:
        return None
    return [LinkedRecord(record, newest_entry(record), url_of(row, record.sf_id)) for record in records_of(contact_id)]


def newest_entry(record: SyncRecord) -> OutboxEntry | None:
    return max(record.entries.all(), key=lambda entry: entry.pk, default=None)


def url_of(row: SyncConnection, sf_id: str) -> str:
    """Return the URL of a record in the CRM; empty before the first sign-in."""
    return provider_registry.of(row).url_of(row, sf_id)


def _lag(sobjects: Iterable[str]) -> dict[str, int | None]:
    ages = SyncCursor.objects.exclude(watermark=None).annotate(now=Now()).values_list("sobject", "watermark", "now")
    known = {name: max(0, int((now - mark).total_seconds())) for name, mark, now in ages if mark}
    return {sobject: known.get(sobject) for sobject in sobjects}


@dataclass(frozen=True, slots=True)
class ReadStatus:
    """How reading one object goes: last success, last error, and whether the CRM holds the watermark back."""

    sobject: str
    read_at: dt.datetime | None
    trouble: str
    held_back: bool


def readings() -> list[ReadStatus]:
    cursors = SyncCursor.objects.annotate(now=Now()).in_bulk()
    return [_reading(sobject, cursors.get(sobject)) for sobject in provider_registry.current().sobjects]


def _reading(name: str, cursor: Any) -> ReadStatus:
    if cursor is None:
        return ReadStatus(name, None, "", held_back=False)
    moved = cursor.moved_at or cursor.now
    works = bool(cursor.last_success_at and cursor.now - cursor.last_success_at < HELD_BACK)
    return ReadStatus(name, cursor.last_success_at, cursor.trouble, held_back=works and cursor.now - moved > HELD_BACK)


def errors_by_code() -> list[dict[str, Any]]:
    """Return the unresolved errors by code: records, dead letters among them, first and last time seen."""
    rows = SyncError.objects.exclude(state=SyncError.State.RESOLVED).values("code").order_by("code")
    dead = Count("pk", filter=Q(state=SyncError.State.DEAD))
    counted = rows.annotate(records=Count("pk"), dead=dead, first=Min("first_seen"), last=Max("last_seen"))
    return [dict(row) for row in counted]


def last_day() -> dict[str, int]:
    runs = SyncRun.objects.filter(created_at__gt=Now() - DAY)
    names = ("read", "changed", "written", "calls")
    found = runs.aggregate(runs=Count("pk"), **{name: Sum(name) for name in names})
    return {name: number or 0 for name, number in found.items()}


def last_comparison() -> SyncRun | None:
    """Return the newest comparison of everything; if it found corrections, the sync had missed changes."""
    done = SyncRun.objects.filter(kind=SyncRun.Kind.RECONCILE, state=SyncRun.State.DONE)
    return done.order_by("-pk").first()


def _outbox() -> dict[str, int]:
    counts = OutboxEntry.objects.values_list("state").annotate(number=Count("pk")).order_by()
    return dict.fromkeys(OutboxEntry.State.values, 0) | dict(counts)


def _oldest() -> dt.datetime | None:
    waiting = OutboxEntry.objects.filter(state__in=(*outbox.WAITING, OutboxEntry.State.LEASED))
    moments = (waiting.aggregate(at=Min("created_at"))["at"], SyncNotice.objects.aggregate(at=Min("at"))["at"])
    return min((moment for moment in moments if moment), default=None)
