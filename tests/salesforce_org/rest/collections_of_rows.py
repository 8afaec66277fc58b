"""Up to 200 records in one request: results by position, errors by record."""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from tests.salesforce_org.errors import ApiError, RecordError
from tests.salesforce_org.ids import MalformedIdError, long_id, object_of
from tests.salesforce_org.rest.call import Call
from tests.salesforce_org.web import Response

MOST_RECORDS, MOST_RUNS = 200, 10
ROLLED_BACK = "Record rolled back because not all records were valid and the request was using AllOrNone header"


class NotAllValidError(Exception):
    """Takes back what was written when one record of an all-or-none request failed."""


def update(call: Call) -> Response:
    """Change records: 200 even when all of them are refused."""
    body, records = _records(call)
    seen: set[str] = set()

    def write(record: dict[str, Any]) -> str:
        name, sent = _split(call, record)
        id_text = next((value for key, value in record.items() if key.lower() == "id"), None)
        if not isinstance(id_text, str) or not id_text:
            raise RecordError("MISSING_ARGUMENT", "Id not specified in an update call", ["Id"])
        record_id = call.org.writes.checked_id(name, id_text)
        if record_id in seen:
            raise RecordError("DUPLICATE_VALUE", f"duplicate id in list: {record_id}", ["Id"])
        seen.add(record_id)
        return call.org.writes.update(name, record_id, sent, call.writer)

    return _each(call, records, write, all_or_none=bool(body.get("allOrNone")))


def create(call: Call) -> Response:
    """Create records."""
    body, records = _records(call)
    all_or_none = bool(body.get("allOrNone"))
    return _each(
        call,
        records,
        lambda record: call.org.writes.create(*_split(call, record), call.writer),
        all_or_none=all_or_none,
    )


def delete(call: Call) -> Response:
    """Put records into the recycle bin."""
    ids = [text for text in call.request.query.get("ids", "").split(",") if text]
    _check_count(ids)

    def write(id_text: str) -> str:
        try:
            name = object_of(long_id(id_text))
        except MalformedIdError:
            raise RecordError("MALFORMED_ID", f"malformed id {id_text}") from None
        return call.org.writes.delete(name, id_text, call.writer)

    return _each(call, ids, write, all_or_none=call.request.query.get("allOrNone", "").lower() == "true")


def _records(call: Call) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    body = call.json()
    records = body.get("records") if isinstance(body, dict) else None
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise ApiError(400, "JSON_PARSER_ERROR", "A list of records is expected")
    _check_count(records)
    runs = [name for name, _ in groupby(record.get("attributes", {}).get("type") for record in records)]
    if None in runs:
        raise ApiError(400, "INVALID_INPUT", "The type attribute of a record is missing")
    if len(runs) > MOST_RUNS:
        raise ApiError(400, "INVALID_INPUT", f"Cannot have more than {MOST_RUNS} chunks in a single operation.")
    return body, records


def _check_count(records: Sequence[Any]) -> None:
    if len(records) > MOST_RECORDS:
        message = f"record limit reached. cannot submit more than {MOST_RECORDS} records into this call"
        raise ApiError(400, "EXCEEDED_ID_LIMIT", message)


def _split(call: Call, record: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    written = record["attributes"]["type"]
    name = call.access.object_named(written)
    if name is None:
        raise ApiError(400, "INVALID_TYPE", f"sObject type '{written}' is not supported.")
    return name, {key: value for key, value in record.items() if key.lower() not in {"attributes", "id"}}


def _each(call: Call, items: list[Any], write: Callable[[Any], str], *, all_or_none: bool) -> Response:
    try:
        with call.org.store.savepoint():
            results = [_result(item, write) for item in items]
            _insist(results, all_or_none=all_or_none)
    except NotAllValidError:
        innocent = RecordError("ALL_OR_NONE_OPERATION_ROLLED_BACK", ROLLED_BACK).result()
        results = [innocent if result["success"] else result for result in results]
    return Response(200, results)


def _result(item: Any, write: Callable[[Any], str]) -> dict[str, Any]:
    try:
        return {"id": write(item), "success": True, "errors": []}
    except RecordError as error:
        return error.result()


def _insist(results: list[dict[str, Any]], *, all_or_none: bool) -> None:
    if all_or_none and not all(result["success"] for result in results):
        raise NotAllValidError
