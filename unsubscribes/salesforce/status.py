"""How the sync stands, in numbers: for the page, the API and the metrics."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Min, QuerySet
from django.db.models.functions import Now

from unsubscribes.salesforce import outbox
from unsubscribes.salesforce.mapping import SOBJECTS
from unsubscribes.salesforce.models import SyncConnection, SyncCursor, SyncNotice, SyncRecord, SyncWish


@dataclass(frozen=True, slots=True)
class Status:
    """The connection's state, the lag of each object in seconds (None before the first read), the outbox by state,
    when its oldest entry was left, and the org's API calls: used, allowed, and how many of them are for the sync.
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


def status() -> Status:
    """Return how the sync stands now."""
    row = SyncConnection.objects.first() or SyncConnection()
    return Status(
        state=row.state,
        paused_until=row.paused_until,
        message=row.message,
        lag=_lag(),
        outbox=_outbox(),
        oldest=_oldest(),
        used=row.usage_used,
        allowed=row.usage_max,
        budget=None if row.usage_max is None else row.usage_max * row.budget_percent // 100,
    )


def records_of(contact_id: int) -> QuerySet[SyncRecord]:
    """Return the records of one person, with the wishes about each."""
    found = SyncRecord.objects.filter(pk__in=outbox.concerned([contact_id]))
    return found.prefetch_related("wishes").order_by("sobject", "sf_id")


def _lag() -> dict[str, int | None]:
    ages = SyncCursor.objects.exclude(watermark=None).annotate(now=Now()).values_list("sobject", "watermark", "now")
    known = {name: max(0, int((now - mark).total_seconds())) for name, mark, now in ages if mark}
    return {sobject.name: known.get(sobject.name) for sobject in SOBJECTS}


def _outbox() -> dict[str, int]:
    counts = SyncWish.objects.values_list("state").annotate(number=Count("pk")).order_by()
    return dict.fromkeys(SyncWish.State.values, 0) | dict(counts)


def _oldest() -> dt.datetime | None:
    waiting = SyncWish.objects.filter(state__in=(*outbox.WAITING, SyncWish.State.LEASED))
    moments = (waiting.aggregate(at=Min("created_at"))["at"], SyncNotice.objects.aggregate(at=Min("at"))["at"])
    return min((moment for moment in moments if moment), default=None)
