"""Metrics of the sync for Prometheus. They contain no names, addresses, ids or tokens."""

from collections.abc import Iterator
from typing import NamedTuple

from django.db.models.functions import Now
from django.utils import timezone

from unsubscribes.crm import provider_registry
from unsubscribes.crm.models import SyncConnection, SyncRecord
from unsubscribes.crm.monitoring import alerts, status
from unsubscribes.crm.runs import running

Sample = tuple[dict[str, str], float]


class Metric(NamedTuple):
    """A metric of Prometheus: name, kind (gauge or counter), help text, and samples with their labels."""

    name: str
    kind: str
    says: str
    samples: list[Sample]


def collect() -> Iterator[Metric]:
    """Yield the metrics; without a connection only `sync_connected`."""
    row = SyncConnection.objects.first()
    crm = provider_registry.of(row).name if row else provider_registry.spoken_of()
    yield _one("sync_connected", f"1 when {crm} is connected.", float(row is not None))
    if row is None:
        return
    now = status.status()
    states = [({"state": str(state)}, float(state == row.state)) for state in SyncConnection.State]
    yield Metric("sync_state", "gauge", "1 for the state in which the connection is.", states)
    lags = [({"object": name}, float(lag)) for name, lag in now.lag.items() if lag is not None]
    yield Metric("sync_lag_seconds", "gauge", "Age of the newest moment up to which all changes are known.", lags)
    held = [({"object": each.sobject}, float(each.held_back)) for each in status.readings()]
    yield Metric("sync_held_back", "gauge", f"1 when an open transaction in {crm} holds the reading back.", held)
    outbox = [({"state": state}, float(number)) for state, number in now.outbox.items()]
    yield Metric("sync_outbox", "gauge", "Entries of the outbox by state; what is done is kept for 30 days.", outbox)
    age = (timezone.now() - now.oldest).total_seconds() if now.oldest else 0.0
    yield _one("sync_outbox_oldest_seconds", "Age of the oldest entry that waits to be written.", max(0.0, age))
    errors = [({"code": each["code"]}, float(each["records"])) for each in status.errors_by_code()]
    yield Metric("sync_errors", "gauge", "Records with an unresolved error, by its code.", errors)
    waits = [({"code": alert.code}, float(alert.number or 1)) for alert in alerts.alerts()]
    yield Metric("sync_problems", "gauge", "What waits longer than it may, or is wrong with the org, by code.", waits)
    yield from _calls(row)
    yield from _quality(crm)


def _calls(row: SyncConnection) -> Iterator[Metric]:
    yield _one("sync_calls_day", "API calls that the sync made in 24 hours.", float(running.used_today()))
    if row.usage_max is not None:
        yield _one("sync_org_calls_used", "API calls of the whole org in 24 hours.", float(row.usage_used or 0))
        yield _one("sync_org_calls_max", "API calls that the org may make in 24 hours.", float(row.usage_max))
    renewed: list[Sample] = [({}, float(row.token_generation))]
    yield Metric("sync_token_refreshes_total", "counter", "How often a new token was asked for.", renewed)


def _quality(crm: str) -> Iterator[Metric]:
    compared = status.last_comparison()
    if compared:
        says = "Boxes that the last comparison of everything found other than known; should be 0."
        yield _one("sync_corrections", says, float(compared.corrections))
    unlinked = SyncRecord.objects.filter(contact_id=None, deleted=False).count()
    yield _one("sync_records_unmatched", "Records of which nobody here has the address.", float(unlinked))
    fought = SyncRecord.objects.filter(reasserted_since__gt=Now() - status.DAY, reasserts__gt=0).count()
    yield _one("sync_records_reasserted", f"Records whose box something in {crm} cleared in 24 hours.", float(fought))


def _one(name: str, says: str, value: float) -> Metric:
    return Metric(name, "gauge", says, [({}, value)])
