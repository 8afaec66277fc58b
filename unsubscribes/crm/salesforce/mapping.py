"""What Salesforce's records and answers mean. Pure: one table for both directions, the queries, the error classes."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from contacts.people.fields import FIELDS
from contacts.people.rules import normalise_address, salesforce_id

IS_PERSON = "IsPersonAccount"
"""A field of Contact and Account that exists only in orgs with person accounts."""

OVERLAP = dt.timedelta(minutes=2)
"""How far before the watermark a read begins: getUpdated ignores seconds."""


@dataclass(frozen=True, slots=True)
class Sobject:
    """A kind of record that can be opted out: its id prefix, and the fields that are read beside the opt-out box."""

    name: str
    prefix: str
    fields: tuple[str, ...]
    details: tuple[tuple[str, str], ...]

    def select(self, opt_out_field: str, *, persons: bool = False, details: bool = False) -> str:
        """Return the beginning of a query; `persons` says that the org has person accounts."""
        names = [*self.fields, opt_out_field, *(name for name, _ in self.details if details)]
        names += [IS_PERSON] if persons and self.name == "Contact" else []
        return f"SELECT {', '.join(names)} FROM {self.name}"


_COMMON = ("Id", "Email", "SystemModstamp", "LastModifiedById", "IsDeleted", "MasterRecordId")


def _details(sobject: str) -> tuple[tuple[str, str], ...]:
    return tuple((field.crm[sobject], field.name) for field in FIELDS if sobject in field.crm)


CONTACT = Sobject("Contact", "003", (*_COMMON, "AccountId"), _details("Contact"))
LEAD = Sobject("Lead", "00Q", (*_COMMON, "IsConverted", "ConvertedContactId"), _details("Lead"))
SOBJECTS = (CONTACT, LEAD)
BY_NAME = {sobject.name: sobject for sobject in SOBJECTS}
BY_PREFIX = {sobject.prefix: sobject for sobject in SOBJECTS}


@dataclass(frozen=True, slots=True)
class Row:
    """A record as Salesforce shows it; `email_key` is empty where there is no address that mail could be sent to."""

    sf_id: str
    sobject: str
    email_key: str
    opted_out: bool
    stamp: dt.datetime
    modified_by: str
    deleted: bool
    successor_id: str
    converted: bool
    account_id: str
    person_account: bool
    details: Mapping[str, str]


def row(sobject: Sobject, found: Mapping[str, Any], opt_out_field: str) -> Row:
    """Read one record of a query's answer. Raises KeyError or ValueError when it is not what was asked for."""
    successor = found.get("MasterRecordId") or found.get("ConvertedContactId") or ""
    email = found["Email"] or ""
    return Row(
        sf_id=salesforce_id(found["Id"]),
        sobject=sobject.name,
        email_key=_key(email),
        opted_out=bool(found[opt_out_field]),
        stamp=moment(found["SystemModstamp"]),
        modified_by=found["LastModifiedById"] or "",
        deleted=bool(found["IsDeleted"]),
        successor_id=salesforce_id(successor) if successor else "",
        converted=bool(found.get("IsConverted")),
        account_id=found.get("AccountId") or "",
        person_account=bool(found.get(IS_PERSON)),
        details={"email": email} | {ours: found.get(theirs) or "" for theirs, ours in sobject.details},
    )


def _key(email: str) -> str:
    try:
        return normalise_address(email) if email else ""
    except ValueError:
        return ""


def on_account(opt_out_field: str) -> str:
    """Return what the opt-out field of Contact is called on the account of a person (a person account)."""
    return re.sub("__c$", "__pc", opt_out_field) if opt_out_field.endswith("__c") else f"Person{opt_out_field}"


def moment(text: str) -> dt.datetime:
    """Read a time as Salesforce writes it: 2026-11-23T21:10:08.000+0000."""
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC)


def literal(at: dt.datetime) -> str:
    """Return a time as SOQL and getUpdated take it."""
    return f"{at.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1_000:03}Z"


def changed(start: str, since: dt.datetime, after: tuple[dt.datetime, str] | None = None) -> str:
    """Return the query of what changed, ordered so that it can go on after any row: time and id together."""
    if after is None:
        where = f"SystemModstamp >= {literal(since - OVERLAP)}"
    else:
        stamp = literal(after[0])
        where = f"(SystemModstamp > {stamp} OR (SystemModstamp = {stamp} AND Id > '{after[1]}'))"
    return f"{start} WHERE {where} ORDER BY SystemModstamp, Id"


def everything(start: str, after: str = "") -> str:
    """Return the query of all records, by id."""
    where = f" WHERE Id > '{after}'" if after else ""
    return f"{start}{where} ORDER BY Id"


def with_ids(start: str, ids: Sequence[str]) -> str:
    """Return the query of some records; at most 500 ids fit into an address of 16,384 bytes."""
    names = ", ".join(f"'{each}'" for each in ids)
    return f"{start} WHERE Id IN ({names})"


class Class(Enum):
    """What kind of trouble an answer is, and so what is to be done."""

    AUTH = "auth"
    QUOTA = "quota"
    PERMISSION = "permission"
    TRANSIENT = "transient"
    BUG = "bug"
    SCHEMA = "schema"
    SPLIT = "split"
    RESUME = "resume"
    MOVED_ON = "moved on"  # somebody changed the record since it was read
    ELSEWHERE = "elsewhere"  # this host is not the org's, or is no longer: a new token names the right one
    GONE = "gone"  # merged, deleted, converted: look where it went
    RULE = "rule"  # the org's own rules refuse it: they may change
    READ_ONLY = "read only"
    SLOW = "slow"
    DATA = "data"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Pace:
    """How a record is tried again: after how many seconds first, how many times longer each time, how often in all."""

    first: float
    growth: float
    tries: int
    longest: float = 3_600

    def seconds(self, attempts: int) -> float:
        """Return how long to wait after so many tries that failed before."""
        return min(self.first * self.growth ** min(attempts, 20), self.longest)


PACES = {
    Class.TRANSIENT: Pace(1, 2, 20),  # eight hours: a mass update holds its rows for long
    Class.MOVED_ON: Pace(1, 2, 20),
    Class.SLOW: Pace(3_600, 1, 168),  # an approval takes days
    Class.GONE: Pace(60, 4, 5),  # answers as if it were not there, and is
    Class.UNKNOWN: Pace(8, 8, 5),
    Class.BUG: Pace(8, 8, 5),
}
"""A kind that is not here waits for a person, who gets a dead letter, and for the next day."""

_RECORD = {
    # passing: whoever holds the row, or the org's own load
    "UNABLE_TO_LOCK_ROW": Class.TRANSIENT,
    "SERVER_UNAVAILABLE": Class.TRANSIENT,
    "REQUEST_RUNNING_TOO_LONG": Class.TRANSIENT,
    "QUERY_TIMEOUT": Class.TRANSIENT,
    "TOO_MANY_APEX_REQUESTS": Class.TRANSIENT,
    "LIMIT_EXCEEDED": Class.TRANSIENT,
    "UNKNOWN_EXCEPTION": Class.TRANSIENT,
    "ALL_OR_NONE_OPERATION_ROLLED_BACK": Class.TRANSIENT,
    "UNPROCESSED": Class.TRANSIENT,
    "ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE": Class.MOVED_ON,
    # looks gone: where it went is looked up
    "ENTITY_IS_DELETED": Class.GONE,
    "INVALID_CROSS_REFERENCE_KEY": Class.GONE,
    "NOT_FOUND": Class.GONE,
    "CANNOT_UPDATE_CONVERTED_LEAD": Class.GONE,
    # the org's own rules, and its own data
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": Class.RULE,
    "FIELD_FILTER_VALIDATION_EXCEPTION": Class.RULE,
    "FIELD_INTEGRITY_EXCEPTION": Class.RULE,
    "REQUIRED_FIELD_MISSING": Class.RULE,
    "STRING_TOO_LONG": Class.RULE,
    "NUMBER_OUTSIDE_VALID_RANGE": Class.RULE,
    "INVALID_EMAIL_ADDRESS": Class.RULE,
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": Class.RULE,
    "DUPLICATES_DETECTED": Class.RULE,
    "DUPLICATE_VALUE": Class.RULE,
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": Class.RULE,
    "CANNOT_EXECUTE_FLOW_TRIGGER": Class.RULE,
    "PROCESSING_HALTED": Class.RULE,
    "INACTIVE_OWNER_OR_USER": Class.RULE,
    "STORAGE_LIMIT_EXCEEDED": Class.RULE,
    "INSUFFICIENT_ACCESS": Class.READ_ONLY,
    "INSUFFICIENT_ACCESS_OR_READONLY": Class.READ_ONLY,
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": Class.READ_ONLY,
    "INVALID_FIELD_FOR_INSERT_UPDATE": Class.READ_ONLY,
    "INVALID_FIELD": Class.SCHEMA,
    "INVALID_TYPE": Class.SCHEMA,
    "ENTITY_IS_LOCKED": Class.SLOW,
    "MALFORMED_ID": Class.DATA,
    "INVALID_ID_FIELD": Class.DATA,
    # said of one record, true of all
    "REQUEST_LIMIT_EXCEEDED": Class.QUOTA,
    "INVALID_SESSION_ID": Class.AUTH,
    "API_DISABLED_FOR_ORG": Class.PERMISSION,
    "API_CURRENTLY_DISABLED": Class.PERMISSION,
}
# A trigger or flow that met a locked row reports its own failure and quotes the lock.
_LOCKED = ("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access")
_REQUEST = {
    "URL_NOT_RESET": Class.ELSEWHERE,
    "REQUEST_LIMIT_EXCEEDED": Class.QUOTA,
    "INVALID_SESSION_ID": Class.AUTH,
    "QUERY_TIMEOUT": Class.SPLIT,
    "INVALID_QUERY_LOCATOR": Class.RESUME,
    "INVALID_FIELD": Class.SCHEMA,
    "INVALID_TYPE": Class.SCHEMA,
    "UNABLE_TO_LOCK_ROW": Class.TRANSIENT,
    "SERVER_UNAVAILABLE": Class.TRANSIENT,
}
_PASSING = frozenset({406, 408, 420, 429})
_RECORD_MISSING = frozenset({"NOT_FOUND", "ENTITY_IS_DELETED", "CANNOT_UPDATE_CONVERTED_LEAD"})


def record_class(code: str, message: str = "") -> Class:
    """Return what an error of one record means; `message` are Salesforce's own words, in which triggers quote."""
    kind = _RECORD.get(code, Class.UNKNOWN)
    quoted = kind in (Class.RULE, Class.UNKNOWN) and any(words in message for words in _LOCKED)
    return Class.TRANSIENT if quoted else kind


def request_class(status: int, code: str) -> Class:
    """Return what the failure of a whole request means; `code` is empty when the body named none."""
    if status // 100 == 3:  # noqa: PLR2004 - a token is never carried along to where a redirection leads
        return Class.ELSEWHERE
    if status in _PASSING or status // 100 == 5:  # noqa: PLR2004
        return Class.TRANSIENT
    if known := _REQUEST.get(code):
        return known
    if code in _RECORD_MISSING:
        return Class.GONE
    by_status = {401: Class.AUTH, 403: Class.PERMISSION, 412: Class.MOVED_ON}
    return by_status.get(status) or _RECORD.get(code, Class.BUG)


def usage(header: str | None) -> tuple[int, int] | None:
    """Return used and allowed API calls of Sforce-Limit-Info, which may hold more than the one number."""
    found = re.search(r"\bapi-usage=(\d+)/(\d+)", header or "")
    return (int(found[1]), int(found[2])) if found else None
