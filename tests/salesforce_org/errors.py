"""Errors of a whole request and of one record."""

from dataclasses import dataclass, field
from typing import Any

NOT_THERE = "The requested resource does not exist"
# What the resource of one row answers where a collection carries the code of the record.
STATUS_OF_CODE = {
    "ENTITY_IS_DELETED": 404,
    "NOT_FOUND": 404,
    "INVALID_CROSS_REFERENCE_KEY": 404,
    "INSUFFICIENT_ACCESS_OR_READONLY": 403,
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": 403,
}


@dataclass
class ApiError(Exception):
    """A refused request: an HTTP status and the list of errors of its body."""

    status: int
    code: str
    message: str
    fields: list[str] | None = None

    def body(self) -> list[dict[str, Any]]:
        """Return the body: a list even for one error, with the key `errorCode`."""
        error: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        return [error if self.fields is None else {**error, "fields": self.fields}]


@dataclass
class RecordError(Exception):
    """A record that was refused while the request was not."""

    code: str
    message: str
    fields: list[str] = field(default_factory=list)

    def result(self) -> dict[str, Any]:
        """Return the element of a collection's answer: it has no id and its key is `statusCode`."""
        error = {"statusCode": self.code, "message": self.message, "fields": self.fields}
        return {"success": False, "errors": [error]}

    def as_request_error(self) -> ApiError:
        """Return what the resource of one row answers."""
        return ApiError(STATUS_OF_CODE.get(self.code, 400), self.code, self.message, self.fields)

    def as_text(self) -> str:
        """Return the error as a bulk job writes it into its results."""
        return f"{self.code}:{self.message}:{','.join(self.fields) or '--'}"
