"""Reads Salesforce page by page: what changed since a position, or everything.

The upper bound of a read is getUpdated's `latestDateCovered`, asked before the query: it stays behind open
transactions, whose records may appear later with an earlier stamp. Pages are in keyset order of stamp and id, so that
a read can resume after any record, also when Salesforce has expired its query locator.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from unsubscribes.crm.models import SyncConnection
from unsubscribes.crm.provider_errors import ErrorKind, ProviderError
from unsubscribes.crm.salesforce import missing_records
from unsubscribes.crm.salesforce.api.client import Client, RawPage, SubRequest
from unsubscribes.crm.salesforce.mapping import BY_NAME, SOBJECTS, changed, everything, literal, moment
from unsubscribes.crm.values import ReadPosition, RecordPage

# getUpdated answers for the last 30 days, and its start must lie before its end although it ignores seconds.
HORIZON = dt.timedelta(days=29)
SHORTEST = dt.timedelta(minutes=2)
MINUTE = dt.timedelta(minutes=1)
# Without getUpdated nobody says how long a transaction may still be open; most end much sooner.
LONG_TRANSACTION = dt.timedelta(minutes=10)
# A locator that expires again and again means that pages are taken in too slowly: the next run tries anew.
RESUMES = 5
PIECE = 500
# The org does not offer the call, or not to this user: there is another way to read the same.
REFUSED = (ErrorKind.BUG, ErrorKind.GONE, ErrorKind.PERMISSION)
# It says nothing about the call: another way would fail likewise.
PASSING = (ErrorKind.TRANSIENT, ErrorKind.AUTH, ErrorKind.QUOTA)


@dataclass(slots=True)
class Reader:
    client: Client
    connection: SyncConnection

    def changes(self, positions: Sequence[ReadPosition]) -> dict[str, Iterator[RecordPage]]:
        """Return the pages of each object; their first pages cost one API call together, if the org allows it."""
        # A read that resumes in the middle of a page order needs a query of its own.
        from_the_start = len(positions) == len(SOBJECTS) and not any(each.after for each in positions)
        if self.connection.composite and from_the_start and (together := self._together(positions)):
            return together
        return {each.sobject: self._since(each) for each in positions}

    def covered(self, position: ReadPosition) -> dt.datetime:
        """Return the upper bound of a read; if getUpdated is refused, ten minutes ago, for long transactions."""
        try:
            path = f"sobjects/{position.sobject}/updated/"
            return self._covered(self.client.get(path, **self._window(position.watermark)))
        except ProviderError as error:
            if error.kind not in REFUSED or self.client.now is None:
                raise
            return self.client.now - LONG_TRANSACTION

    def everything(self, sobject: str, after: str) -> Iterator[RecordPage]:
        for _resume in range(RESUMES):
            try:
                for found in self.client.query(everything(self._select(sobject), after)):
                    page = self._page(sobject, found, None)
                    yield page
                    after = page.records[-1].sf_id if page.records else after
                return  # noqa: TRY300 - the way out of the loop
            except ProviderError as error:
                if error.kind is not ErrorKind.RESUME:
                    raise
        raise ProviderError(ErrorKind.TRANSIENT, "INVALID_QUERY_LOCATOR")

    def _together(self, positions: Sequence[ReadPosition]) -> dict[str, Iterator[RecordPage]]:
        """Read the first pages of both objects with one composite call; nothing when the org refuses it."""
        parts = []
        for each in positions:
            window = self._window(each.watermark)
            parts.append(SubRequest(f"{each.sobject}Covered", f"sobjects/{each.sobject}/updated/", window))
            parts.append(SubRequest(each.sobject, "queryAll", {"q": self._query(each)}))
        try:
            bodies = self.client.composite(parts)
        except ProviderError as error:
            if error.kind in PASSING:
                raise
            if error.kind in REFUSED:
                SyncConnection.objects.update(composite=False)
                self.connection.composite = False
            return {}
        covered = [self._covered(body) for body in bodies[::2]]
        return {
            each.sobject: self._pages(each._replace(upper=upper), body)
            for each, upper, body in zip(positions, covered, bodies[1::2], strict=True)
        }

    def _since(self, position: ReadPosition) -> Iterator[RecordPage]:
        if not position.after or position.upper is None:
            position = position._replace(upper=self.covered(position))
        try:
            body = self.client.get("queryAll", q=self._query(position))
        except ProviderError as error:
            if error.kind is not ErrorKind.SPLIT:
                raise
            yield from self._piecewise(position)
        else:
            yield from self._pages(position, body)

    def _piecewise(self, position: ReadPosition) -> Iterator[RecordPage]:
        """Read 500 records at a time, if the whole query times out in the org."""
        more = True
        while more:
            number = 0
            for found in self.client.query(f"{self._query(position)} LIMIT {PIECE}"):
                number += len(found.records)
                more = not found.done or number == PIECE
                page = self._page(position.sobject, RawPage(found.records, not more), position.upper)
                yield page
                position = _behind(position, page)

    def _pages(self, position: ReadPosition, body: object) -> Iterator[RecordPage]:
        for _resume in range(RESUMES):
            try:
                for found in self.client.pages(body):
                    page = self._page(position.sobject, found, position.upper)
                    yield page
                    position = _behind(position, page)
                return  # noqa: TRY300 - the way out of the loop
            except ProviderError as error:
                if error.kind is not ErrorKind.RESUME:
                    raise
                body = self.client.get("queryAll", q=self._query(position))
        raise ProviderError(ErrorKind.TRANSIENT, "INVALID_QUERY_LOCATOR")

    def _page(self, sobject: str, found: RawPage, upper: dt.datetime | None) -> RecordPage:
        return RecordPage(
            missing_records.rows_of(BY_NAME[sobject], found, self.connection.opt_out_field), found.done, upper
        )

    def _select(self, sobject: str) -> str:
        row = self.connection
        return BY_NAME[sobject].select(row.opt_out_field, persons=row.person_accounts, details=row.create_people)

    def _query(self, position: ReadPosition) -> str:
        return changed(self._select(position.sobject), position.watermark, position.after)  # type: ignore[arg-type] # there is one

    def _window(self, watermark: dt.datetime | None) -> dict[str, str]:
        """Return start and end for getUpdated, by Salesforce's clock; it takes 30 days at most, and ignores seconds."""
        now = self.client.now or dt.datetime.now(dt.UTC)
        start = max(min(watermark or now, now - SHORTEST), now - HORIZON)
        return {"start": literal(start), "end": literal(now + MINUTE)}

    def _covered(self, body: object) -> dt.datetime:
        """Return `latestDateCovered`, but never later than Salesforce's own clock."""
        try:
            covered = moment(body["latestDateCovered"])  # type: ignore[index]
        except (KeyError, TypeError, ValueError):
            raise ProviderError(ErrorKind.TRANSIENT, "BAD_BODY") from None
        return min(covered, self.client.now) if self.client.now else covered


def _behind(position: ReadPosition, page: RecordPage) -> ReadPosition:
    if not page.records:
        return position
    last = page.records[-1]
    return position._replace(after=(last.stamp, last.sf_id))
