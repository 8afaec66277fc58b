"""What Salesforce's error codes mean. Pure."""

from unsubscribes.crm.provider_errors import TroubleKind

_RECORD = {
    # passing: whoever holds the row, or the org's own load
    "UNABLE_TO_LOCK_ROW": TroubleKind.TRANSIENT,
    "SERVER_UNAVAILABLE": TroubleKind.TRANSIENT,
    "REQUEST_RUNNING_TOO_LONG": TroubleKind.TRANSIENT,
    "QUERY_TIMEOUT": TroubleKind.TRANSIENT,
    "TOO_MANY_APEX_REQUESTS": TroubleKind.TRANSIENT,
    "LIMIT_EXCEEDED": TroubleKind.TRANSIENT,
    "UNKNOWN_EXCEPTION": TroubleKind.TRANSIENT,
    "ALL_OR_NONE_OPERATION_ROLLED_BACK": TroubleKind.TRANSIENT,
    "UNPROCESSED": TroubleKind.TRANSIENT,
    "ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE": TroubleKind.MOVED_ON,
    # looks gone: where it went is looked up
    "ENTITY_IS_DELETED": TroubleKind.GONE,
    "INVALID_CROSS_REFERENCE_KEY": TroubleKind.GONE,
    "NOT_FOUND": TroubleKind.GONE,
    "CANNOT_UPDATE_CONVERTED_LEAD": TroubleKind.GONE,
    # the org's own rules, and its own data
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": TroubleKind.RULE,
    "FIELD_FILTER_VALIDATION_EXCEPTION": TroubleKind.RULE,
    "FIELD_INTEGRITY_EXCEPTION": TroubleKind.RULE,
    "REQUIRED_FIELD_MISSING": TroubleKind.RULE,
    "STRING_TOO_LONG": TroubleKind.RULE,
    "NUMBER_OUTSIDE_VALID_RANGE": TroubleKind.RULE,
    "INVALID_EMAIL_ADDRESS": TroubleKind.RULE,
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": TroubleKind.RULE,
    "DUPLICATES_DETECTED": TroubleKind.RULE,
    "DUPLICATE_VALUE": TroubleKind.RULE,
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": TroubleKind.RULE,
    "CANNOT_EXECUTE_FLOW_TRIGGER": TroubleKind.RULE,
    "PROCESSING_HALTED": TroubleKind.RULE,
    "INACTIVE_OWNER_OR_USER": TroubleKind.RULE,
    "STORAGE_LIMIT_EXCEEDED": TroubleKind.RULE,
    "INSUFFICIENT_ACCESS": TroubleKind.READ_ONLY,
    "INSUFFICIENT_ACCESS_OR_READONLY": TroubleKind.READ_ONLY,
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": TroubleKind.READ_ONLY,
    "INVALID_FIELD_FOR_INSERT_UPDATE": TroubleKind.READ_ONLY,
    "INVALID_FIELD": TroubleKind.SCHEMA,
    "INVALID_TYPE": TroubleKind.SCHEMA,
    "ENTITY_IS_LOCKED": TroubleKind.SLOW,
    "MALFORMED_ID": TroubleKind.DATA,
    "INVALID_ID_FIELD": TroubleKind.DATA,
    # said of one record, true of all
    "REQUEST_LIMIT_EXCEEDED": TroubleKind.QUOTA,
    "INVALID_SESSION_ID": TroubleKind.AUTH,
    "API_DISABLED_FOR_ORG": TroubleKind.PERMISSION,
    "API_CURRENTLY_DISABLED": TroubleKind.PERMISSION,
}
# A trigger or flow that met a locked row reports its own failure and quotes the lock.
_LOCKED = ("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access")
_REQUEST = {
    "URL_NOT_RESET": TroubleKind.ELSEWHERE,
    "REQUEST_LIMIT_EXCEEDED": TroubleKind.QUOTA,
    "INVALID_SESSION_ID": TroubleKind.AUTH,
    "QUERY_TIMEOUT": TroubleKind.SPLIT,
    "INVALID_QUERY_LOCATOR": TroubleKind.RESUME,
    "INVALID_FIELD": TroubleKind.SCHEMA,
    "INVALID_TYPE": TroubleKind.SCHEMA,
    "UNABLE_TO_LOCK_ROW": TroubleKind.TRANSIENT,
    "SERVER_UNAVAILABLE": TroubleKind.TRANSIENT,
}
_PASSING = frozenset({406, 408, 420, 429})
_RECORD_MISSING = frozenset({"NOT_FOUND", "ENTITY_IS_DELETED", "CANNOT_UPDATE_CONVERTED_LEAD"})


def record_class(code: str, message: str = "") -> TroubleKind:
    """Return what an error of one record means; `message` are Salesforce's own words, in which triggers quote."""
    kind = _RECORD.get(code, TroubleKind.UNKNOWN)
    quoted = kind in (TroubleKind.RULE, TroubleKind.UNKNOWN) and any(words in message for words in _LOCKED)
    return TroubleKind.TRANSIENT if quoted else kind


def request_class(status: int, code: str) -> TroubleKind:
    """Return what the failure of a whole request means; `code` is empty when the body named none."""
    if status // 100 == 3:  # noqa: PLR2004 - a token is never carried along to where a redirection leads
        return TroubleKind.ELSEWHERE
    if status in _PASSING or status // 100 == 5:  # noqa: PLR2004
        return TroubleKind.TRANSIENT
    if known := _REQUEST.get(code):
        return known
    if code in _RECORD_MISSING:
        return TroubleKind.GONE
    by_status = {401: TroubleKind.AUTH, 403: TroubleKind.PERMISSION, 412: TroubleKind.MOVED_ON}
    return by_status.get(status) or _RECORD.get(code, TroubleKind.BUG)
