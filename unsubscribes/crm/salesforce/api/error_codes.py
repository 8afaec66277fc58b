"""Classifies Salesforce's error codes. Pure."""

from unsubscribes.crm.provider_errors import ErrorKind

_RECORD = {
    # transient: a row lock, or load of the org
    "UNABLE_TO_LOCK_ROW": ErrorKind.TRANSIENT,
    "SERVER_UNAVAILABLE": ErrorKind.TRANSIENT,
    "REQUEST_RUNNING_TOO_LONG": ErrorKind.TRANSIENT,
    "QUERY_TIMEOUT": ErrorKind.TRANSIENT,
    "TOO_MANY_APEX_REQUESTS": ErrorKind.TRANSIENT,
    "LIMIT_EXCEEDED": ErrorKind.TRANSIENT,
    "UNKNOWN_EXCEPTION": ErrorKind.TRANSIENT,
    "ALL_OR_NONE_OPERATION_ROLLED_BACK": ErrorKind.TRANSIENT,
    "UNPROCESSED": ErrorKind.TRANSIENT,
    "ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE": ErrorKind.MOVED_ON,
    # reported missing: it is looked up whether the record was deleted, merged or converted
    "ENTITY_IS_DELETED": ErrorKind.GONE,
    "INVALID_CROSS_REFERENCE_KEY": ErrorKind.GONE,
    "NOT_FOUND": ErrorKind.GONE,
    "CANNOT_UPDATE_CONVERTED_LEAD": ErrorKind.GONE,
    # rules and data of the org
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": ErrorKind.RULE,
    "FIELD_FILTER_VALIDATION_EXCEPTION": ErrorKind.RULE,
    "FIELD_INTEGRITY_EXCEPTION": ErrorKind.RULE,
    "REQUIRED_FIELD_MISSING": ErrorKind.RULE,
    "STRING_TOO_LONG": ErrorKind.RULE,
    "NUMBER_OUTSIDE_VALID_RANGE": ErrorKind.RULE,
    "INVALID_EMAIL_ADDRESS": ErrorKind.RULE,
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": ErrorKind.RULE,
    "DUPLICATES_DETECTED": ErrorKind.RULE,
    "DUPLICATE_VALUE": ErrorKind.RULE,
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": ErrorKind.RULE,
    "CANNOT_EXECUTE_FLOW_TRIGGER": ErrorKind.RULE,
    "PROCESSING_HALTED": ErrorKind.RULE,
    "INACTIVE_OWNER_OR_USER": ErrorKind.RULE,
    "STORAGE_LIMIT_EXCEEDED": ErrorKind.RULE,
    "INSUFFICIENT_ACCESS": ErrorKind.READ_ONLY,
    "INSUFFICIENT_ACCESS_OR_READONLY": ErrorKind.READ_ONLY,
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": ErrorKind.READ_ONLY,
    "INVALID_FIELD_FOR_INSERT_UPDATE": ErrorKind.READ_ONLY,
    "INVALID_FIELD": ErrorKind.SCHEMA,
    "INVALID_TYPE": ErrorKind.SCHEMA,
    "ENTITY_IS_LOCKED": ErrorKind.SLOW,
    "MALFORMED_ID": ErrorKind.DATA,
    "INVALID_ID_FIELD": ErrorKind.DATA,
    # reported for one record, but true of all requests
    "REQUEST_LIMIT_EXCEEDED": ErrorKind.QUOTA,
    "INVALID_SESSION_ID": ErrorKind.AUTH,
    "API_DISABLED_FOR_ORG": ErrorKind.PERMISSION,
    "API_CURRENTLY_DISABLED": ErrorKind.PERMISSION,
}
# A trigger or flow that fails on a locked row reports its own error code and quotes the lock in the message.
_LOCKED = ("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access")
_REQUEST = {
    "URL_NOT_RESET": ErrorKind.ELSEWHERE,
    "REQUEST_LIMIT_EXCEEDED": ErrorKind.QUOTA,
    "INVALID_SESSION_ID": ErrorKind.AUTH,
    "QUERY_TIMEOUT": ErrorKind.SPLIT,
    "INVALID_QUERY_LOCATOR": ErrorKind.RESUME,
    "INVALID_FIELD": ErrorKind.SCHEMA,
    "INVALID_TYPE": ErrorKind.SCHEMA,
    "UNABLE_TO_LOCK_ROW": ErrorKind.TRANSIENT,
    "SERVER_UNAVAILABLE": ErrorKind.TRANSIENT,
}
_PASSING = frozenset({406, 408, 420, 429})
_RECORD_MISSING = frozenset({"NOT_FOUND", "ENTITY_IS_DELETED", "CANNOT_UPDATE_CONVERTED_LEAD"})


def record_class(code: str, message: str = "") -> ErrorKind:
    """Classify the error of one record, by its code and by errors that triggers quote in `message`."""
    kind = _RECORD.get(code, ErrorKind.UNKNOWN)
    quoted = kind in (ErrorKind.RULE, ErrorKind.UNKNOWN) and any(words in message for words in _LOCKED)
    return ErrorKind.TRANSIENT if quoted else kind


def request_class(status: int, code: str) -> ErrorKind:
    """Classify the failure of a whole request; `code` is empty if the body has none."""
    if status // 100 == 3:  # noqa: PLR2004 - a token is never carried along to where a redirection leads
        return ErrorKind.ELSEWHERE
    if status in _PASSING or status // 100 == 5:  # noqa: PLR2004
        return ErrorKind.TRANSIENT
    if known := _REQUEST.get(code):
        return known
    if code in _RECORD_MISSING:
        return ErrorKind.GONE
    by_status = {401: ErrorKind.AUTH, 403: ErrorKind.PERMISSION, 412: ErrorKind.MOVED_ON}
    return by_status.get(status) or _RECORD.get(code, ErrorKind.BUG)
