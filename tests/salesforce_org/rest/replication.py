"""Which records were changed or deleted in a window, and how far the answer can be trusted."""

from tests.salesforce_org import clock
from tests.salesforce_org.clock import DAY, MINUTE
from tests.salesforce_org.errors import ApiError
from tests.salesforce_org.rest.call import Call
from tests.salesforce_org.schema import REPLICATED
from tests.salesforce_org.web import Response

MOST_IDS = 600_000
MOST_DAYS = 30


def updated(call: Call, written: str) -> Response:
    """Return ids by SystemModstamp, and latestDateCovered: no later than the start of the oldest open transaction."""
    name, start, end = _window(call, written)
    sql = f"SELECT Id FROM {name} WHERE SystemModstamp >= ? AND SystemModstamp < ? AND NOT IsDeleted AND NOT hidden"
    ids = [row["Id"] for row in call.org.store.all(sql, [start, end])]
    _check_count(ids)
    return Response(200, {"ids": ids, "latestDateCovered": _covered(call, end)})


def deleted(call: Call, written: str) -> Response:
    """Return deletions, of which also those are known whose record is gone for good."""
    name, start, end = _window(call, written)
    earliest = clock.whole_minute(call.org.clock.now() - call.org.settings.deleted_days * DAY)
    sql = "SELECT id, at FROM deletions WHERE object = ? AND at >= ? AND at < ? ORDER BY at, id"
    rows = call.org.store.all(sql, [name, max(start, earliest), end])
    _check_count(rows)
    return Response(
        200,
        {
            "deletedRecords": [{"id": row["id"], "deletedDate": clock.text(row["at"])} for row in rows],
            "earliestDateAvailable": clock.text(earliest),
            "latestDateCovered": _covered(call, end),
        },
    )


def _window(call: Call, written: str) -> tuple[str, int, int]:
    """Return object, start and end; the seconds of both are ignored."""
    name = call.object(written)
    if name not in REPLICATED:
        raise ApiError(400, "INVALID_TYPE", f"{name} is not replicateable")
    try:
        start, end = (clock.whole_minute(clock.parse(call.request.query[key])) for key in ("start", "end"))
    except (KeyError, ValueError) as error:
        raise ApiError(400, "INVALID_REPLICATION_DATE", f"start and end must be times: {error}") from None
    if start >= end:
        raise ApiError(400, "INVALID_REPLICATION_DATE", "startDate before endDate by more than one minute is expected")
    if start < call.org.clock.now() - MOST_DAYS * DAY - MINUTE:
        raise ApiError(400, "INVALID_REPLICATION_DATE", f"startDate cannot be more than {MOST_DAYS} days ago")
    return name, start, end


def _covered(call: Call, end: int) -> str | None:
    limits = [end, clock.whole_minute(call.org.clock.now()), call.org.transactions.oldest_start()]
    return clock.text(min(limit for limit in limits if limit is not None))


def _check_count(rows: list) -> None:
    if len(rows) > MOST_IDS:
        raise ApiError(400, "EXCEEDED_ID_LIMIT", f"the window holds more than {MOST_IDS} records")
