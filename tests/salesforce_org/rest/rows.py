"""The resource of one record."""

from email.utils import parsedate_to_datetime

from tests.salesforce_org.clock import http_date
from tests.salesforce_org.errors import ApiError, RecordError
from tests.salesforce_org.rest.call import Call
from tests.salesforce_org.store import Row
from tests.salesforce_org.values import to_json
from tests.salesforce_org.web import Response

NO_RECORD = "Provided external ID field does not exist or is not accessible: {}"


def create(call: Call, written: str) -> Response:
    """Create a record."""
    name = call.object(written)
    record_id = _writing(lambda: call.org.writes.create(name, _fields(call), call.writer), "")
    return Response(201, {"id": record_id, "success": True, "errors": []})


def retrieve(call: Call, written: str, id_text: str) -> Response:
    """Return a record with all its fields, or those that `fields=` names."""
    name = call.object(written)
    row = _visible_row(call, name, id_text)
    fields = call.access.visible(name)
    asked = call.request.query.get("fields")
    try:
        chosen = [fields[key.strip().lower()] for key in asked.split(",")] if asked else list(fields.values())
    except KeyError as error:
        message = f"No such column {error} on sobject of type {name}"
        raise ApiError(400, "INVALID_FIELD", message) from None
    values = {field.name: to_json(field, row[field.name]) for field in chosen}
    headers = {"Last-Modified": http_date(row["SystemModstamp"])}
    return Response(200, {"attributes": call.attributes(name, row["Id"]), **values}, headers)


def update(call: Call, written: str, id_text: str) -> Response:
    """Change a record, unless it was modified after the time of If-Unmodified-Since."""
    name, sent = call.object(written), _fields(call)
    since = call.request.headers.get("if-unmodified-since")
    if since and not call.org.settings.ignores_unmodified_since:
        row = _visible_row(call, name, id_text)
        if row["SystemModstamp"] > _http_time(since):
            return Response(412)
    _writing(lambda: call.org.writes.update(name, id_text, sent, call.writer), id_text)
    return Response(204)


def delete(call: Call, written: str, id_text: str) -> Response:
    """Put a record into the recycle bin."""
    name = call.object(written)
    _writing(lambda: call.org.writes.delete(name, id_text, call.writer), id_text)
    return Response(204)


def _writing(work, id_text: str) -> str:
    try:
        return work()
    except RecordError as error:
        raise _request_error(error, id_text) from None


def _request_error(error: RecordError, id_text: str) -> ApiError:
    if error.code == "INVALID_CROSS_REFERENCE_KEY":
        return ApiError(404, "NOT_FOUND", NO_RECORD.format(id_text))
    return error.as_request_error()


def _fields(call: Call) -> dict:
    sent = call.json()
    if not isinstance(sent, dict):
        raise ApiError(400, "JSON_PARSER_ERROR", "An object is expected")
    if any(key.lower() == "id" for key in sent):
        raise ApiError(400, "INVALID_FIELD", "The Id field should not be specified in the sobject data.")
    return {key: value for key, value in sent.items() if key != "attributes"}


def _visible_row(call: Call, name: str, id_text: str) -> Row:
    try:
        record_id = call.org.writes.checked_id(name, id_text)
    except RecordError as error:
        raise error.as_request_error() from None
    row = call.org.store.row(name, record_id)
    if row is None or row["hidden"]:
        raise ApiError(404, "NOT_FOUND", NO_RECORD.format(id_text))
    if row["IsDeleted"]:
        raise ApiError(404, "ENTITY_IS_DELETED", "entity is deleted", [])
    return row


def _http_time(written: str) -> float:
    try:
        return parsedate_to_datetime(written).timestamp()
    except ValueError:
        raise ApiError(400, "INVALID_HEADER", f"not an HTTP date: {written}") from None
