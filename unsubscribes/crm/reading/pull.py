"""Reading the CRM: what changed since the watermark, or everything.

1. Before anything is read, the provider says up to when its answer is complete (`upper`). 2. It yields pages in keyset
order. 3. Each page is applied in one transaction together with the position after it. 4. The transaction of the last
page sets the watermark to `upper`. A crash between pages leaves the old watermark, so nothing is skipped, and reading a
page twice changes nothing. All times are by the CRM's clock.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from django.db import transaction
from django.db.models.functions import Now

from unsubscribes.crm.models import SyncConnection, SyncCursor, SyncRecord, SyncRun
from unsubscribes.crm.outbox import sync_errors
from unsubscribes.crm.people import newcomers
from unsubscribes.crm.provider import CrmSession
from unsubscribes.crm.provider_errors import ErrorKind, ProviderError
from unsubscribes.crm.reading import applying, attribution, successors
from unsubscribes.crm.values import CrmRecord, ReadPosition, RecordPage

MISSING_CHUNK = 50_000

Watch = Callable[[], object]


@dataclass(slots=True)
class Pull:
    """One read of all objects. `between` is called after each page, outside transactions; it may raise to stop."""

    session: CrmSession
    connection: SyncConnection
    between: Watch = lambda: None
    outcome: applying.ReadCounts = field(default_factory=applying.ReadCounts)
    failed: int = 0

    def changes(self) -> None:
        """Read what changed; of an object that was never read, everything. Raises `ProviderError`."""
        cursors = [_cursor(sobject) for sobject in self.session.provider.sobjects]
        reads = self.session.changes([_position(cursor) for cursor in cursors if cursor.watermark])
        for cursor in cursors:
            pages = reads.get(cursor.sobject)
            self._guarded(cursor, partial(self._full, cursor) if pages is None else partial(self._since, cursor, pages))
        self._pass_on()

    def everything(self, run: SyncRun) -> None:
        """Read all records. Objects that this run had read before its worker was killed are skipped."""
        for sobject in self.session.provider.sobjects:
            if sobject in run.findings:
                continue
            cursor = _cursor(sobject)
            if cursor.full_run is None:
                cursor.full_run, cursor.full_id = run.pk, ""
            self._guarded(cursor, partial(self._full, cursor))
            run.findings[sobject] = "read"
            run.save(update_fields=["findings"])
        self._pass_on()

    def _pass_on(self) -> None:
        """Pass opt-outs on to successors, once all objects are read: a Lead converts into a Contact."""
        self.outcome.changed += successors.pass_on(our_user=self.connection.user_id, now=self.session.now)

    def _guarded(self, cursor: SyncCursor, read: Callable[[], None]) -> None:
        """Read one object; if its schema hides a field from us, record the error and let the others be read."""
        try:
            read()
        except ProviderError as error:
            if error.kind is not ErrorKind.SCHEMA:
                raise
            self.failed += 1
            sync_errors.record_object_error(cursor.sobject, error.code, error.message)
            SyncCursor.objects.filter(pk=cursor.pk).update(trouble=f"{error.code}: {error.message}"[:500])
            return
        if cursor.trouble:
            SyncCursor.objects.filter(pk=cursor.pk).update(trouble="")
            sync_errors.resolve_object(cursor.sobject)

    def _since(self, cursor: SyncCursor, pages: Iterable[RecordPage]) -> None:
        for found in pages:
            self._take(cursor, found)
            self.between()

    def _take(self, cursor: SyncCursor, found: RecordPage) -> None:
        # The CRM is asked outside the transaction, which holds locks.
        why = attribution.reasons(found.records, self.session)
        self._apply_changes(cursor, found, why)

    @transaction.atomic
    def _apply_changes(self, cursor: SyncCursor, found: RecordPage, why: dict[str, str]) -> None:
        rows, cursor.upper = found.records, found.upper
        self._count(applying.apply(rows, our_user=self.connection.user_id, now=self.session.now, why=why))
        self._create_people(rows)
        if found.done:
            self._finish(cursor, cursor.upper)
        elif rows:
            cursor.page_stamp, cursor.page_id = rows[-1].stamp, rows[-1].sf_id
            cursor.save(update_fields=["upper", "page_stamp", "page_id"])

    def _full(self, cursor: SyncCursor) -> None:
        if cursor.full_upper is None:
            cursor.full_upper = self.session.covered(_position(cursor))
            cursor.save(update_fields=["full_upper", "full_run", "full_id"])
        for found in self.session.everything(cursor.sobject, cursor.full_id):
            run, upper = cursor.full_run, cursor.full_upper
            self._apply_full(cursor, found)
            if found.done:
                self._miss(cursor.sobject, run, upper)
            self.between()

    def _miss(self, sobject: str, run: int | None, upper: dt.datetime | None) -> None:
        """Mark records that a full read did not return as deleted, if the CRM confirms it: they may only be hidden."""
        if run is None:
            return
        known = SyncRecord.objects.filter(sobject=sobject, deleted=False, stamp__lt=upper)
        while missing := list(known.exclude(seen_in=run).order_by("pk")[:MISSING_CHUNK]):
            gone_for_good = self.session.deleted(missing)
            SyncRecord.objects.filter(sf_id__in=gone_for_good).update(deleted=True)
            known = known.filter(pk__gt=missing[-1].pk)

    @transaction.atomic
    def _apply_full(self, cursor: SyncCursor, found: RecordPage) -> None:
        rows = found.records
        self._count(
            applying.apply(
                rows,
                our_user=self.connection.user_id,
                now=self.session.now,
                seen_in=cursor.full_run,
                settled=cursor.watermark,
            )
        )
        self._create_people(rows)
        if found.done:
            upper, cursor.full_run, cursor.full_upper, cursor.full_id = cursor.full_upper, None, None, ""
            self._finish(cursor, upper)
        elif rows:
            cursor.full_id = rows[-1].sf_id
            cursor.save(update_fields=["full_run", "full_upper", "full_id"])

    def _finish(self, cursor: SyncCursor, upper: dt.datetime | None) -> None:
        """Advance the watermark with the last page; it never goes back."""
        if upper and (cursor.watermark is None or upper > cursor.watermark):
            cursor.watermark, cursor.moved_at = upper, Now()
        cursor.upper, cursor.page_stamp, cursor.page_id, cursor.last_success_at = None, None, "", Now()
        cursor.save(
            update_fields=[
                "watermark", "moved_at", "upper", "page_stamp", "page_id", "last_success_at",
                "full_run", "full_upper", "full_id",
            ]
        )  # fmt: skip

    def _create_people(self, rows: Sequence[CrmRecord]) -> None:
        if self.connection.create_people:
            self.outcome.changed += newcomers.create(rows, self.session.provider)

    def _count(self, outcome: applying.ReadCounts) -> None:
        self.outcome += outcome


def _cursor(sobject: str) -> SyncCursor:
    return SyncCursor.objects.get_or_create(sobject=sobject)[0]


def _position(cursor: SyncCursor) -> ReadPosition:
    after = (cursor.page_stamp, cursor.page_id) if cursor.page_id and cursor.page_stamp else None
    return ReadPosition(cursor.sobject, cursor.watermark, cursor.upper, after)
