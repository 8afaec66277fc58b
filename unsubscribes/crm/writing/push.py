"""Writing to the CRM: opt-outs in batches, re-consents one by one.

1. Turn notices into entries. 2. Lease entries and commit. 3. Write, outside any transaction. 4. Settle, by position,
those that we still lease. After a crash the lease expires and the same value is written again, which is idempotent.
An error of a whole request is not counted against its records: their entries just wait again.
"""

import datetime as dt
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Case, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Now

from unsubscribes.crm.models import OutboxEntry, SyncConnection, SyncRecord
from unsubscribes.crm.outbox import outbox
from unsubscribes.crm.provider import CrmSession
from unsubscribes.crm.provider_errors import ErrorKind, ProviderError
from unsubscribes.crm.values import WriteLimits, WriteResult
from unsubscribes.crm.writing import clearing, jobs, settling

LAST_BATCH = 10
RETURNS = 20
PATIENCE = 20.0
# Errors of a whole request that a single record in it may have caused.
UNREADABLE = (ErrorKind.BUG, ErrorKind.DATA, ErrorKind.RULE, ErrorKind.UNKNOWN, ErrorKind.SLOW)
HALVINGS, LATER = 12, 900
Write = Callable[[Sequence[OutboxEntry]], Sequence[WriteResult]]
logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Push:
    """One pass over the outbox. `between` is called after each request, outside transactions; it may raise to stop."""

    session: CrmSession
    connection: SyncConnection
    between: Callable[[], object] = lambda: None
    written: int = 0
    failed: int = 0
    # For how many seconds to wait for bulk jobs.
    patience: float = PATIENCE
    skipped: set[str] = field(default_factory=set)
    until: dt.datetime = field(default_factory=outbox.database_now)

    def everything(self) -> None:
        """Write every entry that was due when this began. What becomes due meanwhile is left to the next turn.

        So no record is written twice in one turn, whatever the CRM answers. Raises `ProviderError` when no further
        request can be made.
        """
        outbox.reclaim()
        outbox.collect()
        self._jobs()
        self.until = outbox.database_now()
        while self._opt_outs():
            self.between()
        while self._returns():
            self.between()
        self._await_jobs()

    def _jobs(self) -> None:
        done = jobs.settle_ended(self.session)
        self.written, self.failed = self.written + done.written, self.failed + done.failed

    def _await_jobs(self) -> None:
        """Poll jobs for up to `patience` seconds; those that take longer are settled by a later turn."""
        deadline = time.monotonic() + self.patience
        while (seconds := jobs.next_due()) is not None and time.monotonic() + seconds < deadline:
            self.session.wait(max(seconds, 0.05))
            self._jobs()
            self.between()

    def _opt_outs(self) -> bool:
        due = OutboxEntry.objects.filter(state__in=outbox.WAITING, due_at__lte=self.until, desired=True)
        due = due.alias(object=self._object()).exclude(object__in=self.skipped)
        many = due.filter(attempts__lt=outbox.OFTEN_FAILED).count()
        holder = uuid4()
        if self.limits.jobs_above is not None and many > self.limits.jobs_above:
            return self._job(holder)
        if many:
            return self._send(holder, self.limits.batch, self._collection)
        often_failed = due.count()
        limit = LAST_BATCH if often_failed <= LAST_BATCH**2 else self.limits.batch
        return bool(often_failed) and self._send(holder, limit, self._collection, often_failed=True)

    def _send(self, holder: UUID, limit: int, write: Write, *, often_failed: bool = False) -> bool:
        """Lease, write and settle; False when nothing could be leased."""
        entries = self._lease(holder, limit, often_failed=often_failed)
        if not entries:
            return OutboxEntry.objects.filter(lease=holder).exists()
        try:
            entries = settling.still_needed(entries, self.session)
            results = write(entries) if entries else []
        except ProviderError as error:
            self._failed(holder, entries, error)
            return True
        except BaseException:
            outbox.put_back(Q(lease=holder))
            raise
        self._settle(entries, results)
        return True

    def _lease(
        self, holder: UUID, limit: int, *, desired: bool = True, often_failed: bool | None = None
    ) -> list[OutboxEntry]:
        return outbox.lease(
            holder,
            desired=desired,
            limit=limit,
            until=self.until,
            often_failed=often_failed,
            skipped=self.skipped,
            parent=self.session.provider.parent,
        )

    def _settle(self, entries: Sequence[OutboxEntry], results: Sequence[WriteResult]) -> None:
        done = settling.settle(entries, results, self.session)
        self.written, self.failed = self.written + done.written, self.failed + done.failed

    def _failed(self, holder: UUID, entries: Sequence[OutboxEntry], error: ProviderError) -> None:
        """Handle an error of a whole request: a hidden field stops its object, any other error stops the push."""
        if error.kind is ErrorKind.SCHEMA and len(objects := {self._place(entry) for entry in entries}) == 1:
            self.skipped |= objects
        elif error.kind is ErrorKind.SCHEMA:
            self._one_object_each(holder, entries)
            return
        elif error.kind in UNREADABLE and len(entries) <= self.limits.batch:
            self._apart(holder, entries, error)
            return
        mine = Q(lease=holder, pk__in=[entry.pk for entry in entries])
        outbox.put_back(mine, seconds=settling.RETRY_SOON_SECONDS, code=error.code, message=error.message)
        if error.kind is not ErrorKind.SCHEMA:
            raise error
        self.failed += 1
        settling.record_write_error(self._place(entries[0]), error)

    def _one_object_each(self, holder: UUID, entries: Sequence[OutboxEntry]) -> None:
        for name in sorted({self._place(entry) for entry in entries}):
            part = [entry for entry in entries if self._place(entry) == name]
            try:
                results = self._collection(part)
            except ProviderError as error:
                self._failed(holder, part, error)
            else:
                self._settle(part, results)

    def _apart(self, holder: UUID, entries: Sequence[OutboxEntry], error: ProviderError) -> None:
        """Bisect a refused request to find the records that cause it, so that the failure counts for them alone.

        If the CRM seems to refuse everything, stop after `HALVINGS` requests and let all wait for 15 minutes.
        """
        parts, refusal = [list(entries)], error
        for _call in range(HALVINGS):
            alone = [part[0] for part in parts if len(part) == 1]
            for entry in alone:
                with transaction.atomic():
                    self.failed += settling.refused(entry, WriteResult(refusal.code, refusal.message), ErrorKind.BUG)
            parts = [part for part in parts if len(part) > 1]
            if not parts:
                return
            part = parts.pop(0)
            for half in (part[: len(part) // 2], part[len(part) // 2 :]):
                try:
                    self._settle(half, self._collection(half))
                except ProviderError as again:
                    if again.kind not in UNREADABLE:
                        outbox.put_back(Q(lease=holder), seconds=settling.RETRY_SOON_SECONDS)
                        raise
                    parts.append(half)
        outbox.put_back(Q(lease=holder), seconds=LATER, code=refusal.code, message=refusal.message)
        raise refusal

    def _collection(self, entries: Sequence[OutboxEntry]) -> Sequence[WriteResult]:
        results: list[WriteResult] = []
        for start in range(0, len(entries), self.limits.batch):
            part = entries[start : start + self.limits.batch]
            results += self.session.opt_out([self.session.target(entry.record) for entry in part])
        return results

    @property
    def limits(self) -> WriteLimits:
        return self.session.provider.limits

    def _place(self, entry: OutboxEntry) -> str:
        return self.session.target(entry.record).sobject

    def _object(self) -> Subquery:
        """Return `_place` as SQL, by a subquery: for a join, PostgreSQL may scan all records for each entry."""
        parent = Value(self.session.provider.parent)
        place = Case(When(person_account=True, then=parent), default=F("sobject"))
        return Subquery(SyncRecord.objects.filter(pk=OuterRef("record_id")).values(place=place))

    def _job(self, holder: UUID) -> bool:
        """Start a bulk job for each object; False when nothing could be leased."""
        entries = self._lease(holder, self.limits.job, often_failed=False)
        try:
            for sobject, box, part in jobs.parts(entries, self.session):
                try:
                    jobs.start(sobject, box, part, self.session)
                except ProviderError as error:
                    if error.kind is not ErrorKind.SCHEMA:
                        raise
                    self.skipped.add(sobject)
                    self.failed += 1
                    settling.record_write_error(sobject, error)
        finally:
            outbox.put_back(Q(lease=holder))
        return bool(entries)

    def _returns(self) -> bool:
        """Clear boxes after re-consents, one at a time, because each needs its own check for a newer opt-out."""
        holder = uuid4()
        entries = self._lease(holder, RETURNS, desired=False)
        for entry in entries:
            try:
                ok = clearing.clear(entry, self.session)
            except BaseException as problem:
                code = problem.code if isinstance(problem, ProviderError) else ""
                outbox.put_back(Q(lease=holder), seconds=settling.RETRY_SOON_SECONDS if code else 0, code=code)
                raise
            self.written, self.failed = self.written + (ok is True), self.failed + (ok is False)
            self.between()
        return bool(entries)


@transaction.atomic
def retry_dead(entries: Q) -> int:
    """Retry dead letters, decided anew from the present state; return how many there were."""
    outbox.lock()
    dead = OutboxEntry.objects.filter(entries, state=OutboxEntry.State.DEAD)
    again = list(dead.values_list("record_id", "desired", "created_at"))
    dead.update(state=OutboxEntry.State.SUPERSEDED, finished_at=Now())
    outbox.forget_reasserts([record for record, _, _ in again])
    outbox.enqueue([record for record, desired, _ in again if desired], True)
    for record, desired, said_at in again:
        if not desired:
            outbox.enqueue([record], False, said_at=said_at)
    return len(again)
