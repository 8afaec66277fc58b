"""Maps Salesforce's objects and fields to ours, and builds the queries. Pure."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contacts.people.field_registry import FIELDS
from contacts.people.rules import normalise_address, salesforce_id
from salesconnect.lib.database.sql import fill
from unsubscribes.crm.values import CrmRecord

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
        """Return the SELECT ... FROM of a query; `persons` says that the org has person accounts."""
        names = [*self.fields, opt_out_field, *(name for name, _ in self.details if details)]
        names += [IS_PERSON] if persons and self.name == "Contact" else []
        return fill("SELECT {fields} FROM {sobject}", fields=", ".join(names), sobject=self.name)


_COMMON = ("Id", "Email", "SystemModstamp", "LastModifiedById", "IsDeleted", "MasterRecordId")


def _details(sobject: str) -> tuple[tuple[str, str], ...]:
    return tuple((field.crm[sobject], field.name) for field in FIELDS if sobject in field.crm)


CONTACT = Sobject("Contact", "003", (*_COMMON, "AccountId"), _details("Contact"))
LEAD = Sobject("Lead", "00Q", (*_COMMON, "IsConverted", "ConvertedContactId"), _details("Lead"))
SOBJECTS = (CONTACT, LEAD)
BY_NAME = {sobject.name: sobject for sobject in SOBJECTS}
BY_PREFIX = {sobject.prefix: sobject for sobject in SOBJECTS}


def row(sobject: Sobject, found: Mapping[str, Any], opt_out_field: str) -> CrmRecord:
    """Parse one record of a query's answer. Raises KeyError or ValueError when it is malformed."""
    successor = found.get("MasterRecordId") or found.get("ConvertedContactId") or ""
    email = found["Email"] or ""
    return CrmRecord(
        sf_id=salesforce_id(found["Id"]),
        sobject=sobject.name,
        email_key=_key(email),
        opted_out=bool(found[opt_out_field]),
        stamp=moment(found["SystemModstamp"]),
        modified_by=found["LastModifiedById"] or "",
        deleted=bool(found["IsDeleted"]),
        successor_id=salesforce_id(successor) if successor else "",
        successor_sobject=BY_PREFIX[successor[:3]].name if successor else "",
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
    """Return the name of Contact's opt-out field on a person account: `Person…`, or `…__pc` for a custom field."""
    return re.sub("__c$", "__pc", opt_out_field) if opt_out_field.endswith("__c") else f"Person{opt_out_field}"


def moment(text: str) -> dt.datetime:
    """Parse a time in Salesforce's format, such as 2026-11-23T21:10:08.000+0000."""
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC)


def literal(at: dt.datetime) -> str:
    """Format a time for SOQL and getUpdated."""
    return f"{at.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1_000:03}Z"


def changed(start: str, since: dt.datetime, after: tuple[dt.datetime, str] | None = None) -> str:
    """Return the query for changes, in keyset order of stamp and id, so that it can resume after any row."""
    if after is None:
        where = f"SystemModstamp >= {literal(since - OVERLAP)}"
    else:
        stamp = literal(after[0])
        where = f"(SystemModstamp > {stamp} OR (SystemModstamp = {stamp} AND Id > '{after[1]}'))"
    return f"{start} WHERE {where} ORDER BY SystemModstamp, Id"


def everything(start: str, after: str = "") -> str:
    where = f" WHERE Id > '{after}'" if after else ""
    return f"{start}{where} ORDER BY Id"


def with_ids(start: str, ids: Sequence[str]) -> str:
    """Return the query for records by id; at most 500 ids fit into a URL of 16,384 bytes."""
    names = ", ".join(f"'{each}'" for each in ids)
    return f"{start} WHERE Id IN ({names})"


def usage(header: str | None) -> tuple[int, int] | None:
    """Parse used and allowed API calls from Sforce-Limit-Info, which may contain other limits too."""
    found = re.search(r"\bapi-usage=(\d+)/(\d+)", header or "")
    return (int(found[1]), int(found[2])) if found else None
