"""What the client raises."""

from unsubscribes.crm.salesforce.mapping import Class


class Trouble(Exception):  # noqa: N818 - reads as the answer it becomes
    """A request failed as a whole: what kind of trouble it is, Salesforce's code and words, and how long to wait."""

    def __init__(self, kind: Class, code: str, message: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(f"{kind.value}: {code}")
        self.kind = kind
        self.code = code
        self.message = message
        self.retry_after = retry_after


class LeaseLost(Exception):  # noqa: N818
    """Somebody else has taken over: stop without another word."""
