"""The values that the sync and a provider exchange. Pure."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from salesconnect.lib.text import Text

Explanation = tuple[Text, Text]
"""What an error code means, and what to do about it (empty: nothing, it is retried automatically)."""


@dataclass(frozen=True, slots=True)
class CrmRecord:
    """A record of a person as read from the CRM. `email_key` is empty without a usable address.

    `stamp` changes with every change of the record, whoever makes it. `successor_id` is the record into which it was
    merged or converted, `successor_sobject` the object of that record.
    """

    sf_id: str
    sobject: str
    email_key: str
    opted_out: bool
    stamp: dt.datetime
    modified_by: str
    deleted: bool
    successor_id: str
    account_id: str
    person_account: bool
    details: Mapping[str, str]
    successor_sobject: str = ""


@dataclass(frozen=True, slots=True)
class RecordPage:
    """A page of records in keyset order, so that a read can resume after any of them; `done` on the last page.

    Once the last page of a read of changes is applied, every change that the CRM committed before `upper` is known.
    """

    records: Sequence[CrmRecord]
    done: bool
    upper: dt.datetime | None = None


class ReadPosition(NamedTuple):
    """How far an object has been read: its watermark, and of an unfinished read its upper bound and last record."""

    sobject: str
    watermark: dt.datetime | None
    upper: dt.datetime | None = None
    after: tuple[dt.datetime, str] | None = None


class Attribution(NamedTuple):
    """Who opted somebody out in the CRM, and when. Unless `exact`, these are the last change of the whole record."""

    who: str
    at: dt.datetime
    exact: bool
    # The CRM's name; set where the attribution was parsed from a stored reason.
    crm: str = ""


class WriteTarget(NamedTuple):
    """Where the opt-out of a record is written: object, id, and API name of the checkbox."""

    sobject: str
    sf_id: str
    field: str


@dataclass(frozen=True, slots=True)
class WriteResult:
    """The result of writing one record; `code` is empty on success."""

    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class ConnectionCheck:
    """One line of the connection test: what was checked, what was found, and what to do if it failed."""

    ok: bool
    what: str
    found: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class WriteLimits:
    """Records per write request; above how many waiting records a bulk job is used; records per bulk job."""

    batch: int
    jobs_above: int | None = None
    job: int = 0


class JobState(Enum):
    OPEN = "open"  # created, but its upload is not closed: it has written nothing
    WORKING = "working"
    ENDED = "ended"
