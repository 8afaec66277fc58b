"""Values as JSON and CSV carry them, and as the store keeps them."""

import json
from typing import Any

from tests.salesforce_org import clock
from tests.salesforce_org.errors import ApiError, RecordError
from tests.salesforce_org.ids import MalformedIdError, long_id
from tests.salesforce_org.schema import Field

CSV_NULL = "#N/A"


def to_json(field: Field, value: Any) -> Any:
    """Return a stored value as JSON carries it."""
    if field.type == "boolean":
        return bool(value)
    if field.type == "datetime":
        return clock.text(value)
    if field.type == "any" and value is not None:
        return json.loads(value)
    return value


def to_csv(field: Field, value: Any) -> str:
    """Return a stored value as a cell of a bulk result; nothing is an empty cell."""
    value = to_json(field, value)
    if isinstance(value, bool):
        return str(value).lower()
    if field.type == "datetime" and value is not None:
        return value.replace("+0000", "Z")
    return "" if value is None else str(value)


def from_csv(field: Field, cell: str) -> Any:
    """Return a cell as JSON would carry it."""
    if cell == CSV_NULL:
        return None
    return cell.lower() in {"true", "1"} if field.type == "boolean" and is_boolean(cell) else cell


def is_boolean(cell: str) -> bool:
    """Whether a cell can stand for a checkbox."""
    return cell.lower() in {"true", "false", "1", "0"}


def to_store(name: str, field: Field, value: Any) -> Any:
    """Return a JSON value as the store keeps it; raise RecordError, for a wrong type ApiError, when it does not fit."""
    if field.type == "boolean":
        return _boolean(field, value)
    if value is None:
        return None
    if not isinstance(value, str):
        raise ApiError(400, "JSON_PARSER_ERROR", f"Cannot deserialize instance of {field.type} from value {value}")
    if field.type == "datetime":
        return _time(name, field, value)
    if field.type == "reference":
        return _reference(name, field, value)
    return _text(name, field, value)


def _boolean(field: Field, value: Any) -> int:
    if isinstance(value, str) and is_boolean(value):
        value = value.lower() in {"true", "1"}
    if value is None:
        message = f"Value for a checkbox can not be null: {field.name}"
        raise RecordError("INVALID_TYPE_ON_FIELD_IN_RECORD", message, [field.name])
    if not isinstance(value, bool):
        raise ApiError(400, "JSON_PARSER_ERROR", f"Cannot deserialize instance of boolean from value {value}")
    return int(value)


def _time(name: str, field: Field, value: str) -> int:
    try:
        return clock.parse(value)
    except ValueError:
        message = f"{name}: {field.name}: value not of required type: {value}"
        raise RecordError("INVALID_TYPE_ON_FIELD_IN_RECORD", message, [field.name]) from None


def _reference(name: str, field: Field, value: str) -> str:
    try:
        return long_id(value)
    except MalformedIdError:
        message = f"{field.label}: id value of incorrect type: {value}"
        raise RecordError("MALFORMED_ID", message, [field.name]) from None


def _text(name: str, field: Field, value: str) -> str | None:
    if field.length and len(value) > field.length:
        message = f"{field.label}: data value too large: {value} (max length={field.length})"
        raise RecordError("STRING_TOO_LONG", message, [field.name])
    if field.type == "email" and value and "@" not in value:
        message = f"{field.label}: invalid email address: {value}"
        raise RecordError("INVALID_EMAIL_ADDRESS", message, [field.name])
    return value or None
