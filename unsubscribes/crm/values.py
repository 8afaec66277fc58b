"""What goes between the sync and a provider: records as the CRM shows them, positions, results. Pure."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from django.utils.functional import Promise

Explanation = tuple[str | Promise, str | Promise]
"""What a code means, and what to do about it (empty: nothing, it heals by itself)."""


@dataclass(frozen=True, slots=True)
class CrmRecord:
    """A record of a person as the CRM shows it; `email_key` is empty where there is no address to send mail to.

    `stamp` moves with each change of the record, whoever makes it. `successor_id` is the record it was merged or
    converted into, and `successor_sobject` the kind of that.
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
    """Some records in the order in which reading goes on after any of them, and whether they are the last.

    Once the last page of a read of changes is applied, everything that the CRM committed before `upper` is known.
    """

    records: Sequence[CrmRecord]
    done: bool
    upper: dt.datetime | None = None


class ReadPosition(NamedTuple):
    """How far a kind of record is read: up to a moment, and of an unfinished read its end and the last record."""

    sobject: str
    watermark: dt.datetime | None
    upper: dt.datetime | None = None
    after: tuple[dt.datetime, str] | None = None


class Attribution(NamedTuple):
    """Who opted somebody out in the CRM, and when; not `exact`: who changed the record last, so the latest moment."""

    who: str
    at: dt.datetime
    exact: bool
    # What the CRM is called, where a reason is read again.
    crm: str = ""


class WriteTarget(NamedTuple):
    """What is written for a record: the object, its id, the name of the opt-out box there."""

    sobject: str
    sf_id: str
    field: str


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What became of one record of a write; `code` is empty when it was written."""

    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class ConnectionCheck:
    """One check of the connection: whether it is well, what was looked at and found, and what to do if it is not."""

    ok: bool
    what: str
    found: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class WriteLimits:
    """How many records go into one write; above how many that wait a job is made, and how many go into a job."""

    batch: int
    jobs_above: int | None = None
    job: int = 0


class JobState(Enum):
    """How far a job of the CRM's is."""

    OPEN = "open"  # made, but not closed: it has written nothing
    WORKING = "working"
    ENDED = "ended"
