"""Records that are not there any more, and records that only seem so.

"Not there" is no answer by itself: a record type that the user may not use, a sharing rule and a deleted record answer
alike. What is gone is shown as gone by a query that sees the recycle bin, or listed by getDeleted.
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
# Ways are short; this only keeps a way without an end from costing calls without an end.
HOPS = 20
HORIZON = dt.timedelta(days=29)
MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)
UNANSWERED = (ErrorKind.BUG, ErrorKind.GONE, ErrorKind.PERMISSION, ErrorKind.SCHEMA)


def whereabouts(sf_ids: Sequence[str], client: Client, connection: SyncConnection) -> list[CrmRecord]:
    """Return these records as Salesforce has them now, and those to which they were merged or converted, to the end."""
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
    """Return which of these records, which no query finds, are deleted: listed so, or not seen since the list begins.

    The others are hidden from the user of the app, or never were. Where the list is refused, nothing is known.
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
