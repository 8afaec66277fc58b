"""What services raise when they cannot act; pages and the API turn each error into a response."""

from typing import Any

from salesconnect.lib.actor import Forbidden, SignInAgain

__all__ = ["Conflict", "Forbidden", "Invalid", "Missing", "Restricted", "SignInAgain", "Stale"]


class Invalid(Exception):  # noqa: N818
    """The input breaks a rule: `fields` maps each field's name to what is wrong with it. HTTP 400, pages 422."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        super().__init__(fields)
        self.fields = fields


class Missing(Exception):  # noqa: N818
    """The object does not exist or is not visible to the actor; a message, if there is one, says more. HTTP 404."""


class Conflict(Exception):  # noqa: N818
    """The act conflicts with the current state, such as an address that another person has. HTTP 409."""

    def __init__(self, code: str, message: str, **detail: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.detail = detail


class Restricted(Exception):  # noqa: N818
    """Processing of the person is restricted: the data may be read, and nothing else (GDPR art. 18). HTTP 423."""


class Stale(Exception):  # noqa: N818
    """Somebody changed the person since `version` was read; `current` is the newer version's number. HTTP 412."""

    def __init__(self, contact_id: int, version: int, current: int) -> None:
        super().__init__(contact_id)
        self.contact_id = contact_id
        self.version = version
        self.current = current
