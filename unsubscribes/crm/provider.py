"""What a CRM has to be able to do, so that unsubscribes are synchronised with it. Each provider implements this once.

A provider knows the CRM: how to sign in, what its records and its refusals mean. It decides nothing about people and
writes nothing into the database but what it found out about the connection. Everything else (who is opted out, what
waits, what is tried again) is the same for every CRM and lies in the folders beside this file.

All times are the CRM's own. Whatever fails as a whole raises `ProviderError`, whose kind says what is to be done.
"""

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import ClassVar, Self

from compliance.suppression.opt_out_source_registry import OptOutSource
from unsubscribes.crm.flight import FlightRecorder
from unsubscribes.crm.models import SyncConnection, SyncRecord
from unsubscribes.crm.provider_errors import ErrorKind
from unsubscribes.crm.setup import Setup
from unsubscribes.crm.values import (
    Attribution,
    ConnectionCheck,
    CrmRecord,
    Explanation,
    JobState,
    ReadPosition,
    RecordPage,
    WriteLimits,
    WriteResult,
    WriteTarget,
)

UNCONDITIONAL = "UNCONDITIONAL_WRITES"
"""The code of a re-consent that waits because the CRM would let us write over a newer opt-out."""


class BulkJobs(ABC):
    """Writes of very many opt-outs that the CRM works off by itself. All methods raise `ProviderError`."""

    @abstractmethod
    def create(self, sobject: str) -> str:
        """Make a job and return its id; nothing is written yet."""

    @abstractmethod
    def upload(self, job_id: str, field: str, ids: Sequence[str]) -> None:
        """Hand over the records whose box is to be ticked, and let the job begin."""

    @abstractmethod
    def state(self, job_id: str) -> JobState:
        """Tell how far a job is."""

    @abstractmethod
    def results(self, job_id: str) -> dict[str, WriteResult]:
        """Return what became of each record of a job that has ended, by its id."""

    @abstractmethod
    def abort(self, job_id: str) -> None:
        """End a job that was not closed."""

    @abstractmethod
    def abort_lost(self, sobject: str, known: Iterable[str], made_at: dt.datetime) -> None:
        """End jobs that we made at about that time without hearing of it: open, and none of those that are known."""


class CrmSession(ABC):
    """A conversation with the CRM. It counts its calls and listens for the CRM's time and limits in each answer."""

    provider: "Provider"
    connection: SyncConnection
    # Keeps each call, for the page of the run.
    flight: FlightRecorder
    calls: int = 0
    # How many calls of the day are used, and how many there are; None where the CRM does not tell.
    used: tuple[int, int] | None = None
    # The CRM's time at its last answer.
    now: dt.datetime | None = None
    # None where the CRM has no jobs.
    jobs: BulkJobs | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """End the conversation."""

    @abstractmethod
    def time(self) -> dt.datetime | None:
        """Return the CRM's time at this moment; None when it tells none."""

    @abstractmethod
    def wait(self, seconds: float) -> None:
        """Wait, and say meanwhile that this one is alive."""

    @abstractmethod
    def look_around(self) -> None:
        """Store in the connection what the CRM was found to have."""

    # Reading. Deleted, merged and converted records are read too, and what is read twice does no harm.

    @abstractmethod
    def changes(self, positions: Sequence[ReadPosition]) -> dict[str, Iterator[RecordPage]]:
        """Return, by kind of record, the pages of what changed since each position, ordered by stamp and id."""

    @abstractmethod
    def covered(self, position: ReadPosition) -> dt.datetime:
        """Return up to when all changes can be read by now; a read of everything that begins now knows them."""

    @abstractmethod
    def everything(self, sobject: str, after: str) -> Iterator[RecordPage]:
        """Yield the pages of all records of a kind, ordered by id, after that id."""

    @abstractmethod
    def record(self, record: SyncRecord) -> CrmRecord | None:
        """Return one record as it is now; None when it is not seen."""

    @abstractmethod
    def whereabouts(self, ids: Sequence[str]) -> list[CrmRecord]:
        """Return records as they are now, and those into which they were merged or converted, to the end of the way."""

    @abstractmethod
    def deleted(self, records: Sequence[SyncRecord]) -> set[str]:
        """Return which of these records, which were not seen, are deleted for certain and not only hidden."""

    def attributions(self, news: Sequence[CrmRecord]) -> dict[str, Attribution]:
        """Return who opted out each of these records, and when, as far as the CRM tells."""
        return {each.sf_id: Attribution(each.modified_by, each.stamp, exact=False) for each in news}

    # Writing. Writing the same value again does no harm.

    @abstractmethod
    def target(self, record: SyncRecord | CrmRecord) -> WriteTarget:
        """Return where the box of a record is written."""

    @abstractmethod
    def opt_out(self, targets: Sequence[WriteTarget]) -> list[WriteResult]:
        """Tick the boxes, as many as the limits allow at once, and return what became of each, by position."""

    @abstractmethod
    def clear(self, found: CrmRecord) -> bool:
        """Clear the box of a record; raises `ProviderError` (`MOVED_ON`) if it has changed since it was read.

        False, and nothing is written, where the CRM would let us write over a newer opt-out.
        """


class Provider(ABC):
    """A CRM: what it is called, what kinds of records it has, how to talk to it, and what its codes mean."""

    key: ClassVar[str]
    name: ClassVar[str]
    # The kinds of records of people, in the order in which they are read.
    sobjects: ClassVar[tuple[str, ...]]
    # The object on which the opt-out of a record is written that has one above it (`person_account`).
    parent: ClassVar[str] = ""
    limits: ClassVar[WriteLimits]
    # How it is connected, from which the page of the settings is made.
    setup: ClassVar[Setup] = Setup()
    # By what an address is suppressed that opted out there.
    source: ClassVar[OptOutSource] = OptOutSource.CRM_SYNC
    # Whether a person has a field for the id of this CRM's records, which the sync fills in and reads.
    names_people: ClassVar[bool] = False

    @abstractmethod
    def open(
        self,
        connection: SyncConnection,
        *,
        alive: Callable[[], object] = lambda: None,
        patience: float = 120.0,
        read_only: bool = False,
    ) -> CrmSession:
        """Begin a conversation. `alive` is called before each try of a request: it keeps a lease, or raises.

        `patience` is for how many seconds a request is tried in all; with `read_only`, nothing can be written.
        """

    @abstractmethod
    def check(self, connection: SyncConnection) -> list[ConnectionCheck]:
        """Return, line by line, what has to be right in the CRM; nothing is changed there."""

    @abstractmethod
    def classify(self, code: str, message: str) -> ErrorKind:
        """Return what the refusal of one record means, and so whether it is tried again."""

    @abstractmethod
    def words(self) -> Mapping[str, Explanation]:
        """Return the CRM's own codes in plain words, with what to do."""

    def record_id(self, text: str) -> str:
        """Return a record's id as it is stored, of one that was typed. Raises `ValueError` when it can be none."""
        return text.strip()

    def sobject_of(self, record_id: str) -> str:
        """Return the kind of a record by its id alone; empty when it is none of the kinds that are read."""
        return ""

    def url_of(self, connection: SyncConnection, record_id: str) -> str:
        """Return where people see a record; empty where that is not known."""
        return ""

    # Setting up.

    def faults(self, connection: SyncConnection, secret: str) -> dict[str, str]:
        """Return what is wrong with the fields of a connection, by field; `secret` is a new one, or empty."""
        return {}

    def is_same_place(self, one: str, other: str) -> bool:
        """Tell whether two addresses to sign in at are the same, so that a secret may be kept."""
        return one == other

    def environment(self) -> dict[str, str] | None:
        """Return how the environment signs in, without the secret; None when it does not say."""
        return None

    def environment_secret(self) -> str:
        """Return the secret that the environment gives. Raises `Invalid` when it cannot be read."""
        return ""
