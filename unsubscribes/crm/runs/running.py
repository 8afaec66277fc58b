"""Executes runs of the sync: takes leases, keeps to budget and time, stores the result, and pauses after errors."""

import datetime as dt
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db.models import DateTimeField, Sum, Value
from django.db.models.functions import Now

from contacts.jobs import engine
from contacts.people.addresses import newest_key
from salesconnect.lib.database import table_sizes
from salesconnect.lib.kick import kick
from unsubscribes.crm import flight, provider_registry
from unsubscribes.crm.flight import FlightRecorder
from unsubscribes.crm.models import TEXT_LIMIT, SyncConnection, SyncRun
from unsubscribes.crm.outbox import outbox
from unsubscribes.crm.people import linking
from unsubscribes.crm.provider import CrmSession
from unsubscribes.crm.provider_errors import ErrorKind, LeaseLost, ProviderError
from unsubscribes.crm.reading.pull import Pull
from unsubscribes.crm.runs import dry_run, leases, pausing
from unsubscribes.crm.runs.leases import Lease
from unsubscribes.crm.writing import jobs
from unsubscribes.crm.writing.push import PATIENCE as PATIENCE_FOR_JOBS
from unsubscribes.crm.writing.push import Push

PATIENCE = 120.0
READ_UP_TO, WRITE_UP_TO = 0.8, 0.95
TURN_SECONDS = 150.0
MANUAL_PATIENCE = MANUAL_WAIT = 60.0
MANUAL_JOBS = 1_800.0
# Upper bound of the rounds of a manual run: a record that is always due again at once must not keep it going for ever.
MANUAL_ROUNDS = 12
WOKEN = 10
# Tables that a run reads for each record; see `salesconnect.lib.database.table_sizes`.
TABLES = (
    "contacts_contact",
    "compliance_compliancecard",
    "compliance_suppression",
    "unsubscribes_syncrecord",
    "unsubscribes_outboxentry",
)
RunKind = SyncRun.Kind
FULL_READS = (RunKind.FULL, RunKind.RECONCILE)
logger = logging.getLogger(__name__)


class Busy(Exception):  # noqa: N818
    """Another run holds the lease."""


class TurnEnded(Exception):  # noqa: N818
    """The time of this turn is used up; the next turn continues from here."""


@dataclass(slots=True)
class RunTurn:
    """One turn of a run. `manual`, for a command, waits for leases, makes retries due, and runs until it is done."""

    run: SyncRun
    manual: bool = False
    lease: Lease | None = None
    began: float = field(default_factory=time.monotonic)
    told: float = 0.0
    flight: FlightRecorder = field(default_factory=FlightRecorder)

    def go(self) -> bool:
        """Do the work; returns whether another turn is needed. Raises `Busy` when another run holds the lease."""
        connection = SyncConnection.objects.get()
        patience = MANUAL_PATIENCE if self.manual else PATIENCE
        SyncRun.objects.filter(pk=self.run.pk).update(**engine.going_on())
        table_sizes.analyze_if_unknown(*TABLES)
        crm, read_only = provider_registry.of(connection), self.run.dry_run
        with crm.open(connection, alive=self._alive, patience=patience, read_only=read_only) as session:
            self.flight = session.flight
            try:
                self._parts(session, connection)
            except TurnEnded:
                self._end(session, None)
                return True
            except LeaseLost:
                self._end(session, "overtaken")
            except ProviderError as error:
                pausing.pause(error)
                self._end(session, f"{error.code} {error.message}".strip())
            except Busy:
                left = SyncRun.State.CANCELLED if self.manual else SyncRun.State.QUEUED
                SyncRun.objects.filter(pk=self.run.pk).update(state=left, finished_at=Now() if self.manual else None)
                raise
            except Exception:
                self._end(session, "INTERNAL_ERROR")
                raise
            else:
                pausing.succeeded()
                self._end(session, "")
        return False

    def _parts(self, session: CrmSession, connection: SyncConnection) -> None:
        run = self.run
        if run.dry_run:
            with self._leased("try"):
                return dry_run.read(run, session)
        if run.direction in ("pull", "both"):
            with self._leased("read"):
                self._read(session, connection)
        if run.direction in ("push", "both"):
            with self._leased("write"):
                self._write(session, connection)
        return None

    def _read(self, session: CrmSession, connection: SyncConnection) -> None:
        pull = Pull(session, connection, lambda: self._between(session, connection, READ_UP_TO))
        try:
            if self.run.kind in FULL_READS:
                pull.everything(self.run)
                SyncConnection.objects.update(reconciled_at=Now(), hash_key=newest_key())
            else:
                pull.changes()
            linking.link_changed()
        finally:
            self.run.read += pull.outcome.read
            self.run.changed += pull.outcome.changed
            self.run.corrections += pull.outcome.corrections if self.run.kind == RunKind.RECONCILE else 0
            self.run.errors += pull.failed

    def _write(self, session: CrmSession, connection: SyncConnection) -> None:
        patience = MANUAL_JOBS if self.manual else PATIENCE_FOR_JOBS
        push = Push(session, connection, lambda: self._between(session, connection, WRITE_UP_TO), patience=patience)
        try:
            self._patiently(push) if self.manual else push.everything()
        finally:
            self.run.written += push.written
            self.run.errors += push.failed

    def _patiently(self, push: Push) -> None:
        """Write until nothing is due within a minute, so that records that were locked get their retries.

        What is still waiting then counts as one error.
        """
        outbox.make_retries_due()
        deadline = time.monotonic() + MANUAL_PATIENCE
        push.everything()
        rounds = iter(range(MANUAL_ROUNDS))
        while (seconds := outbox.next_due()) is not None and time.monotonic() + seconds < deadline:
            if next(rounds, None) is None:
                break
            time.sleep(max(seconds, 0) + 0.1)
            self._alive()
            push.everything()
        push.failed += seconds is not None or jobs.next_due() is not None

    @contextmanager
    def _leased(self, name: str) -> Iterator[None]:
        try:
            with leases.held(name, wait=MANUAL_WAIT if self.manual else 0) as self.lease:
                if self.lease is None:
                    raise Busy(name)
                yield
        finally:
            held, self.lease = self.lease, None
            if held:
                wake(except_for=self.run.pk)

    def _alive(self) -> None:
        if self.lease:
            self.lease.keep()
        if time.monotonic() - self.told > leases.KEPT_EVERY:
            self.told = time.monotonic()
            flown = flight.kept(self.run.flight, self.flight)
            SyncRun.objects.filter(pk=self.run.pk).update(heartbeat_at=Now(), flight=flown)

    def _between(self, session: CrmSession, connection: SyncConnection, share: float) -> None:
        """Raise when the turn is over, or when too many API calls are used; writing may use more than reading."""
        table_sizes.analyze_if_unknown(*TABLES)
        if session.used and session.used[0] >= share * session.used[1]:
            raise ProviderError(ErrorKind.QUOTA, "ORG_LIMIT_NEAR")
        if share == READ_UP_TO and not self.manual and _over_budget(session, connection):
            raise ProviderError(ErrorKind.QUOTA, "BUDGET_USED")
        if not self.manual and time.monotonic() - self.began > TURN_SECONDS:
            raise TurnEnded

    def _end(self, session: CrmSession, fault: str | None) -> None:
        """Store the result of the turn; `fault` is empty on success, None when the run needs another turn."""
        run = self.run
        run.calls += session.calls
        run.flight = flight.kept(run.flight, session.flight)
        values: dict[str, object] = {
            name: getattr(run, name)
            for name in ("calls", "flight", "read", "changed", "written", "errors", "corrections")
        }
        if fault is not None:
            run.state = SyncRun.State.FAILED if fault else SyncRun.State.DONE
            run.message = fault[:TEXT_LIMIT]
            values |= {"state": run.state, "message": run.message, "finished_at": Now()}
        SyncRun.objects.filter(pk=run.pk).update(**values, heartbeat_at=Now())
        if there := session.time():
            SyncConnection.objects.update(clock_ahead=Value(there, DateTimeField()) - Now())
        if session.used:
            SyncConnection.objects.update(usage_used=session.used[0], usage_max=session.used[1], usage_at=Now())
        logger.info("Sync run %s (%s): %s, %s calls", run.pk, run.kind, run.state, run.calls)


def wake(*, except_for: int) -> None:
    """Wake runs that were waiting for a lease, the oldest first."""
    waiting = SyncRun.objects.filter(state=SyncRun.State.QUEUED).exclude(started_at=None).exclude(pk=except_for)
    for run_id in waiting.order_by("pk").values_list("pk", flat=True)[:WOKEN]:
        kick("unsubscribes.run_salesforce", run_id)


def _over_budget(session: CrmSession, connection: SyncConnection) -> bool:
    if not session.used:
        return False
    return used_today() + session.calls > connection.budget_percent / 100 * session.used[1]


def used_today() -> int:
    """Return the number of API calls of the last 24 hours, the period in which Salesforce counts its limit."""
    today = SyncRun.objects.filter(created_at__gt=Now() - dt.timedelta(days=1))
    return today.aggregate(calls=Sum("calls"))["calls"] or 0
