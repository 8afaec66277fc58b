"""Tells records that are gone from records that we only cannot see.

Salesforce answers "not found" alike for a deleted record, one hidden by a sharing rule, and one whose record type the
user may not use. A record is gone for certain if queryAll, which reads the recycle bin, returns it as deleted or
merged, or if getDeleted lists it.
"""

import datetime as dt
from collections.abc import Iterable, Sequence

from contacts.people.rules import salesforce_id
from unsubscribes.crm.models import SyncConnection, SyncRecord
from unsubscribes.crm.provider_errors import ErrorKind, ProviderError
from unsubscribes.crm.salesforce.api.client import Client, RawPage
from unsubscribes.crm.salesforce.mapping import BY_PREFIX, Sobject, literal, moment, row, with_ids
from unsubscribes.crm.values import CrmRecord

IDS = 400
# Chains of successors are short; the limit only keeps a circular one from costing calls for ever.
HOPS = 20
HORIZON = dt.timedelta(days=29)
MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)
UNANSWERED = (ErrorKind.BUG, ErrorKind.GONE, ErrorKind.PERMISSION, ErrorKind.SCHEMA)


def whereabouts(sf_ids: Sequence[str], client: Client, connection: SyncConnection) -> list[CrmRecord]:
    """Return these records as they are now, with all their successors by merge and conversion."""
    rows: list[CrmRecord] = []
    asked: set[str] = set()
    wanted = set(sf_ids)
    for _hop in range(HOPS):
        found = [each for prefix in BY_PREFIX for each in _read(prefix, wanted, client, connection)]
        rows += found
        asked |= wanted
        wanted = {each.successor_id for each in found if each.successor_id} - asked
        if not wanted:
            break
    return rows


def _read(prefix: str, wanted: Iterable[str], client: Client, connection: SyncConnection) -> list[CrmRecord]:
    sobject, field = BY_PREFIX[prefix], connection.opt_out_field
    select = sobject.select(field, persons=connection.person_accounts)
    mine = sorted(each for each in wanted if each.startswith(prefix))
    parts = (mine[start : start + IDS] for start in range(0, len(mine), IDS))
    pages = (page for ids in parts for page in client.query(with_ids(select, ids)))
    return [each for page in pages for each in rows_of(sobject, page, field)]


def rows_of(sobject: Sobject, page: RawPage, opt_out_field: str) -> list[CrmRecord]:
    """Read the records of a page. Raises `ProviderError` when one of them is not what was asked for."""
    try:
        return [row(sobject, each, opt_out_field) for each in page.records]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ProviderError(ErrorKind.BUG, "BAD_RECORD", type(error).__name__) from error


def deleted(records: Sequence[SyncRecord], client: Client) -> set[str]:
    """Return which of these records, which no query returns, are deleted.

    They are in the list of getDeleted, or were last read before that list begins. The others are hidden from our user
    or never existed. If the org refuses the list, none of the object's records count as deleted.
    """
    gone: set[str] = set()
    for name in sorted({record.sobject for record in records}):
        mine = [record for record in records if record.sobject == name]
        now = client.now or dt.datetime.now(dt.UTC)
        try:
            body = client.get(f"sobjects/{name}/deleted/", start=literal(now - HORIZON), end=literal(now + MINUTE))
            listed = {salesforce_id(each["id"]) for each in body["deletedRecords"]}
            earliest = moment(body["earliestDateAvailable"]) - DAY
        except ProviderError as error:
            if error.kind not in UNANSWERED:
                raise
        except (KeyError, TypeError, ValueError):
            raise ProviderError(ErrorKind.TRANSIENT, "BAD_BODY") from None
        else:
            gone |= {each.sf_id for each in mine if each.sf_id in listed or (each.stamp and each.synced_at < earliest)}
    return gone
