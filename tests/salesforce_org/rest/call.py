"""An authenticated call of the REST API, as its resources see it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.salesforce_org.access import Access
from tests.salesforce_org.errors import NOT_THERE, ApiError
from tests.salesforce_org.journal import Entry
from tests.salesforce_org.org import SalesforceOrg
from tests.salesforce_org.records import Writer
from tests.salesforce_org.sessions import Session
from tests.salesforce_org.web import Request, Response


@dataclass
class Call:
    """A request with its session; `inner` answers a subrequest of a composite as a call of its own."""

    org: SalesforceOrg
    request: Request
    session: Session
    version: str
    entry: Entry
    inner: Callable[[Request], Response]

    @property
    def access(self) -> Access:
        """Return what the caller may see."""
        return self.org.access

    @property
    def base(self) -> str:
        """Return the path under which the resources of this version lie."""
        return f"/services/data/v{self.version}"

    @property
    def writer(self) -> Writer:
        """Return who writes: assignment rules run unless the header says no."""
        header = self.request.headers.get("sforce-auto-assign", "TRUE")
        return Writer(self.session.user_id, through_api=True, auto_assign=header.upper() != "FALSE")

    def json(self) -> Any:
        """Return the body, which must be JSON and say so."""
        if "json" not in self.request.headers.get("content-type", ""):
            raise ApiError(415, "UNSUPPORTED_MEDIA_TYPE", "Content type should be application/json")
        try:
            return self.request.json()
        except ValueError as error:
            raise ApiError(400, "JSON_PARSER_ERROR", f"The HTTP entity body is not valid JSON: {error}") from None

    def object(self, written: str) -> str:
        """Return the right name of an object in the path."""
        name = self.access.object_named(written)
        if name is None:
            raise ApiError(404, "NOT_FOUND", NOT_THERE)
        return name

    def attributes(self, name: str, record_id: str) -> dict[str, str]:
        """Return the attributes of a record."""
        return {"type": name, "url": f"{self.base}/sobjects/{name}/{record_id}"}
