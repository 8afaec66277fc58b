"""A conversation with an org, over the REST API."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from unsubscribes.crm.flight import FlightRecorder
from unsubscribes.crm.models import SyncConnection, SyncRecord
from unsubscribes.crm.provider import CrmSession
from unsubscribes.crm.salesforce import conditional_writes, field_history, missing_records, preflight
from unsubscribes.crm.salesforce.api.bulk import SalesforceBulkJobs
from unsubscribes.crm.salesforce.api.client import Client
from unsubscribes.crm.salesforce.mapping import BY_NAME, with_ids
from unsubscribes.crm.salesforce.reader import Reader
from unsubscribes.crm.salesforce.targets import target
from unsubscribes.crm.values import Attribution, CrmRecord, ReadPosition, RecordPage, WriteResult, WriteTarget

if TYPE_CHECKING:
    from unsubscribes.crm.provider import Provider


class SalesforceSession(CrmSession):
    def __init__(
        self,
        provider: "Provider",
        connection: SyncConnection,
        *,
        alive: Callable[[], object],
        patience: float,
        read_only: bool,
    ) -> None:
        self.provider, self.connection = provider, connection
        self.client = Client(connection.api_version, alive=alive, patience=patience, read_only=read_only)
        self.reader = Reader(self.client, connection)
        self.jobs = SalesforceBulkJobs(self.client)

    @property
    def flight(self) -> FlightRecorder:  # type: ignore[override] # the client keeps it
        """Return what the client has kept of its calls."""
        return self.client.flight

    @property
    def calls(self) -> int:  # type: ignore[override] # the client counts
        return self.client.calls

    @property
    def used(self) -> tuple[int, int] | None:  # type: ignore[override]
        """Return the API calls of the org's last 24 hours: used, and allowed."""
        return self.client.used

    @property
    def now(self) -> dt.datetime | None:  # type: ignore[override]
        """Return the `Date` of the last answer."""
        return self.client.now

    def close(self) -> None:
        self.client.session.close()

    def time(self) -> dt.datetime | None:
        return self.client.time()

    def wait(self, seconds: float) -> None:
        self.client.wait(seconds)

    def look_around(self) -> None:
        """Store whether there are person accounts, and of which objects a history is kept."""
        preflight.remember(self.client, self.connection)

    def changes(self, positions: Sequence[ReadPosition]) -> dict[str, Iterator[RecordPage]]:
        return self.reader.changes(positions)

    def covered(self, position: ReadPosition) -> dt.datetime:
        return self.reader.covered(position)

    def everything(self, sobject: str, after: str) -> Iterator[RecordPage]:
        return self.reader.everything(sobject, after)

    def record(self, record: SyncRecord) -> CrmRecord | None:
        sobject, field = BY_NAME[record.sobject], self.connection.opt_out_field
        select = sobject.select(field, persons=self.connection.person_accounts)
        for part in self.client.query(with_ids(select, [record.sf_id])):
            if rows := missing_records.rows_of(sobject, part, field):
                return rows[0]
        return None

    def whereabouts(self, ids: Sequence[str]) -> list[CrmRecord]:
        return missing_records.whereabouts(ids, self.client, self.connection)

    def deleted(self, records: Sequence[SyncRecord]) -> set[str]:
        return missing_records.deleted(records, self.client)

    def attributions(self, news: Sequence[CrmRecord]) -> dict[str, Attribution]:
        """Ask the history of the field, where there is one."""
        return super().attributions(news) | field_history.attributions(news, self.client, self.connection)

    def target(self, record: SyncRecord | CrmRecord) -> WriteTarget:
        """Return the record itself, or the account of a person account."""
        return target(record, self.connection.opt_out_field)

    def opt_out(self, targets: Sequence[WriteTarget]) -> list[WriteResult]:
        """Tick the boxes with one request (sObject Collections)."""
        return self.client.update(
            [{"attributes": {"type": each.sobject}, "id": each.sf_id, each.field: True} for each in targets]
        )

    def clear(self, found: CrmRecord) -> bool:
        """Clear the box with If-Unmodified-Since, if the org has been proven to honour it."""
        place = self.target(found)
        if not conditional_writes.holds(place, self.client, value=True):
            return False
        self.client.change(place.sobject, place.sf_id, {place.field: False}, unmodified_since=found.stamp)
        return True
