"""Reading: what changed since the watermark, or everything.

1. Ask how far the org's answer can be trusted (`latestDateCovered`), before anything is read. 2. Read by time and id,
page by page. 3. Apply each page in one transaction together with the place where the read would go on. 4. The last
page's transaction moves the watermark. A crash between pages leaves the old watermark, so nothing is skipped, and what
is read twice changes nothing. All times are Salesforce's.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from django.db import transaction
from django.db.models.functions import Now

from unsubscribes.crm.models import SyncConnection, SyncCursor, SyncRecord, SyncRun
from unsubscribes.crm.outbox import troubles
from unsubscribes.crm.people import newcomers
from unsubscribes.crm.reading import attribution, page, successors
from unsubscribes.crm.salesforce import gone
from unsubscribes.crm.salesforce.client import Client, Page, Part
from unsubscribes.crm.salesforce.mapping import SOBJECTS, Class, Sobject, changed, everything, literal, moment
from unsubscribes.crm.trouble import Trouble

HORIZON = dt.timedelta(days=29)
SHORTEST = dt.timedelta(minutes=2)
MINUTE = dt.timedelta(minutes=1)
LONG_TRANSACTION = dt.timedelta(minutes=10)
RESUMES = 5
PIECE = 500
MISSING = 50_000
REFUSED = (Class.BUG, Class.GONE, Class.PERMISSION)
PASSING = (Class.TRANSIENT, Class.AUTH, Class.QUOTA)

Watch = Callable[[], object]


@dataclass(slots=True)
class Pull:
    """One read of both objects. `between` is called after each page, outside the transactions; it may raise."""

    client: Client
    connection: SyncConnection
    between: Watch = lambda: None
    outcome: page.Outcome = field(default_factory=page.Outcome)
    failed: int = 0

    def changes(self) -> None:
        """Read what changed, both objects in one call where the org allows it. Raises `Trouble`."""
        cursors = [SyncCursor.objects.get_or_create(sobject=sobject.name)[0] for sobject in SOBJECTS]
        plain = [cursor for cursor in cursors if cursor.watermark and not cursor.page_id]
        if not (self.connection.composite and len(plain) == len(SOBJECTS) and self._together(plain)):
            for sobject, cursor in zip(SOBJECTS, cursors, strict=True):
                self._guarded(sobject, cursor, self._since if cursor.watermark else self._full)
        self._hand_on()

    def everything(self, run: SyncRun) -> None:
        """Read all records of both objects; what the run has read already, before it was killed, is left out."""
        for sobject in SOBJECTS:
            if sobject.name in run.findings:
                continue
            cursor = SyncCursor.objects.get_or_create(sobject=sobject.name)[0]
            if cursor.full_run is None:
                cursor.full_run, cursor.full_id = run.pk, ""
            self._guarded(sobject, cursor, self._full)
            run.findings[sobject.name] = "read"
            run.save(update_fields=["findings"])
        self._hand_on()

    def _hand_on(self) -> None:
        """Hand opt-outs of merged and converted records on, now that both objects are read: ways lead across them."""
        self.outcome.changed += successors.hand_on(our_user=self.connection.user_id, now=self.client.now)

    def _guarded(self, sobject: Sobject, cursor: SyncCursor, read: Callable[[Sobject, SyncCursor], None]) -> None:
        """Let an object that cannot be read, because a field is hidden, not keep the other from being read."""
        try:
            read(sobject, cursor)
        except Trouble as trouble:
            if trouble.kind is not Class.SCHEMA:
                raise
            self.failed += 1
            troubles.note_object(sobject.name, trouble.code, trouble.message)
            SyncCursor.objects.filter(pk=cursor.pk).update(trouble=f"{trouble.code}: {trouble.message}"[:500])
            return
        if cursor.trouble:
            SyncCursor.objects.filter(pk=cursor.pk).update(trouble="")
            troubles.resolve_object(sobject.name)

    def _together(self, cursors: list[SyncCursor]) -> bool:
        """Read the first pages of both objects with one call; False when the org does not let us."""
        parts = []
        for sobject, cursor in zip(SOBJECTS, cursors, strict=True):
            parts.append(Part(f"{sobject.name}Covered", f"sobjects/{sobject.name}/updated/", self._window(cursor)))
            parts.append(Part(sobject.name, "queryAll", {"q": self._query(sobject, cursor)}))
        try:
            bodies = self.client.composite(parts)
        except Trouble as trouble:
            if trouble.kind in PASSING:
                raise
            if trouble.kind in REFUSED:
                SyncConnection.objects.update(composite=False)
                self.connection.composite = False
            return False
        covered = [self._covered(body) for body in bodies[::2]]
        for sobject, cursor, upper, body in zip(SOBJECTS, cursors, covered, bodies[1::2], strict=True):
            cursor.upper = upper
            self._guarded(sobject, cursor, partial(self._pages, body=body))
        return True

    def _since(self, sobject: Sobject, cursor: SyncCursor) -> None:
        if not cursor.page_id or cursor.upper is None:
            cursor.upper = self._ask_covered(sobject, cursor)
        try:
            body = self.client.get("queryAll", q=self._query(sobject, cursor))
        except Trouble as trouble:
            if trouble.kind is not Class.SPLIT:
                raise
            self._piecewise(sobject, cursor)
        else:
            self._pages(sobject, cursor, body)

    def _piecewise(self, sobject: Sobject, cursor: SyncCursor) -> None:
        """Read a few rows at a time, where the org takes too long to find them all."""
        more = True
        while more:
            number = 0
            for found in self.client.query(f"{self._query(sobject, cursor)} LIMIT {PIECE}"):
                number += len(found.records)
                more = not found.done or number == PIECE
                self._take(sobject, cursor, Page(found.records, not more))
                self.between()

    def _pages(self, sobject: Sobject, cursor: SyncCursor, body: object) -> None:
        """Apply the pages; an expired locator is taken up again behind the last row that was applied."""
        for _resume in range(RESUMES):
            try:
                for found in self.client.pages(body):
                    self._take(sobject, cursor, found)
                    self.between()
                return  # noqa: TRY300 - the way out of the loop
            except Trouble as trouble:
                if trouble.kind is not Class.RESUME:
                    raise
                body = self.client.get("queryAll", q=self._query(sobject, cursor))
        raise Trouble(Class.TRANSIENT, "INVALID_QUERY_LOCATOR")

    def _take(self, sobject: Sobject, cursor: SyncCursor, found: Page) -> None:
        """Apply a page, with who opted out and when as far as Salesforce tells, which is asked before anything else."""
        rows = self._rows(sobject, found)
        why = attribution.reasons(rows, self.client, self.connection)
        self._apply_changes(cursor, rows, why, done=found.done)

    @transaction.atomic
    def _apply_changes(self, cursor: SyncCursor, rows: list[page.Row], why: dict[str, str], *, done: bool) -> None:
        self._count(page.apply(rows, our_user=self.connection.user_id, now=self.client.now, why=why))
        self._create_people(rows)
        if done:
            self._finish(cursor, cursor.upper)
        elif rows:
            cursor.page_stamp, cursor.page_id = rows[-1].stamp, rows[-1].sf_id
            cursor.save(update_fields=["upper", "page_stamp", "page_id"])

    def _full(self, sobject: Sobject, cursor: SyncCursor) -> None:
        if cursor.full_upper is None:
            cursor.full_upper = self._ask_covered(sobject, cursor)
            cursor.save(update_fields=["full_upper", "full_run", "full_id"])
        for _resume in range(RESUMES):
            try:
                for found in self.client.query(everything(self._select(sobject), cursor.full_id)):
                    run, upper = cursor.full_run, cursor.full_upper
                    self._apply_full(sobject, cursor, found)
                    if found.done:
                        self._miss(sobject, run, upper)
                    self.between()
                return  # noqa: TRY300 - the way out of the loop
            except Trouble as trouble:
                if trouble.kind is not Class.RESUME:
                    raise
        raise Trouble(Class.TRANSIENT, "INVALID_QUERY_LOCATOR")

    def _miss(self, sobject: Sobject, run: int | None, upper: dt.datetime | None) -> None:
        """Mark what a read of everything did not find as deleted, where Salesforce says so: it may be hidden alone."""
        if run is None:
            return
        known = SyncRecord.objects.filter(sobject=sobject.name, deleted=False, stamp__lt=upper)
        while missing := list(known.exclude(seen_in=run).order_by("pk")[:MISSING]):
            gone_for_good = gone.deleted(missing, self.client)
            SyncRecord.objects.filter(sf_id__in=gone_for_good).update(deleted=True)
            known = known.filter(pk__gt=missing[-1].pk)

    @transaction.atomic
    def _apply_full(self, sobject: Sobject, cursor: SyncCursor, found: Page) -> None:
        rows = self._rows(sobject, found)
        self._count(
            page.apply(
                rows,
                our_user=self.connection.user_id,
                now=self.client.now,
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
        """Move the watermark, never back, with the last page."""
        if upper and (cursor.watermark is None or upper > cursor.watermark):
            cursor.watermark, cursor.moved_at = upper, Now()
        cursor.upper, cursor.page_stamp, cursor.page_id, cursor.last_success_at = None, None, "", Now()
        cursor.save(
            update_fields=[
                "watermark", "moved_at", "upper", "page_stamp", "page_id", "last_success_at",
                "full_run", "full_upper", "full_id",
            ]
        )  # fmt: skip

    def _create_people(self, rows: list[page.Row]) -> None:
        if self.connection.create_people:
            self.outcome.changed += newcomers.create(rows)

    def _count(self, outcome: page.Outcome) -> None:
        self.outcome += outcome

    def _rows(self, sobject: Sobject, found: Page) -> list[page.Row]:
        return gone.rows_of(sobject, found, self.connection.opt_out_field)

    def _select(self, sobject: Sobject) -> str:
        row = self.connection
        return sobject.select(row.opt_out_field, persons=row.person_accounts, details=row.create_people)

    def _query(self, sobject: Sobject, cursor: SyncCursor) -> str:
        after = (cursor.page_stamp, cursor.page_id) if cursor.page_id and cursor.page_stamp else None
        return changed(self._select(sobject), cursor.watermark, after)  # type: ignore[arg-type] # there is one

    def _window(self, cursor: SyncCursor) -> dict[str, str]:
        """Return start and end of getUpdated; where our clock is wrong, the answer is cut at Salesforce's own time."""
        now = self.client.now or dt.datetime.now(dt.UTC)
        start = max(min(cursor.watermark or now, now - SHORTEST), now - HORIZON)
        return {"start": literal(start), "end": literal(now + MINUTE)}

    def _ask_covered(self, sobject: Sobject, cursor: SyncCursor) -> dt.datetime:
        """Ask up to when everything can be read; where that is refused, trust what is older than long transactions."""
        try:
            return self._covered(self.client.get(f"sobjects/{sobject.name}/updated/", **self._window(cursor)))
        except Trouble as trouble:
            if trouble.kind not in REFUSED or self.client.now is None:
                raise
            return self.client.now - LONG_TRANSACTION

    def _covered(self, body: object) -> dt.datetime:
        """Return up to when everything that happened can be read; never later than Salesforce's own clock."""
        try:
            covered = moment(body["latestDateCovered"])  # type: ignore[index]
        except (KeyError, TypeError, ValueError):
            raise Trouble(Class.TRANSIENT, "BAD_BODY") from None
        return min(covered, self.client.now) if self.client.now else covered
