"""The front door of the org: journal, faults, sign-in, versions, limits, then the resource."""

import re
import time
from collections.abc import Callable

from tests.salesforce_org.clock import http_date
from tests.salesforce_org.errors import NOT_THERE, ApiError, RecordError
from tests.salesforce_org.journal import Entry
from tests.salesforce_org.org import SalesforceOrg
from tests.salesforce_org.rest import describe, oauth, routes
from tests.salesforce_org.rest.call import Call
from tests.salesforce_org.sessions import Session
from tests.salesforce_org.web import Request, Response

VERSIONED = re.compile(r"/services/data/v(\d+)\.0(/.*)?")
OPEN: dict[str, Callable[[SalesforceOrg, Request], Response]] = {
    oauth.TOKEN: oauth.token,
    oauth.REVOKE: oauth.revoke,
    oauth.USER_INFO: oauth.user_info,
    "/services/data": describe.versions,
}
SEEN = re.compile(r"(/(003|00Q)\w{15})?")
IDENTITY = re.compile(r"/id/00D\w+/005\w+")


class Door:
    """Answers every request to the org's port."""

    def __init__(self, org: SalesforceOrg) -> None:
        self.org = org

    def answer(self, request: Request) -> Response:
        """Answer a request and put it into the journal before the answer leaves."""
        began = time.monotonic()
        with self.org.lock:
            entry = self.org.journal.begin(request, self.org.clock.time())
            fault = self.org.faults.find(request)
        try:
            with self.org.usage.under_way():
                response = fault.play(lambda: self._handle(request, entry)) if fault else self._handle(request, entry)
        except ApiError as error:
            response = Response(error.status, error.body(), {"Sforce-Limit-Info": self.org.usage.header()})
        entry.fault = fault.do if fault else None
        entry.status, entry.wire, entry.seconds = response.status, response.wire, time.monotonic() - began
        response.headers.setdefault("Date", http_date(self.org.clock.time()))
        return response

    def _handle(self, request: Request, entry: Entry) -> Response:
        try:
            with self.org.lock:
                return self._route(request, entry)
        except ApiError as error:
            return Response(error.status, error.body())

    def _route(self, request: Request, entry: Entry) -> Response:
        path = request.path.rstrip("/")
        if self.org.page_url and request.method == "GET" and SEEN.fullmatch(path):
            return self._page(path.removeprefix("/"))
        if path in OPEN:
            return OPEN[path](self.org, request)
        if IDENTITY.fullmatch(path):
            return oauth.user_info(self.org, request)
        match = VERSIONED.fullmatch(request.path)
        if match is None:
            raise ApiError(404, "NOT_FOUND", NOT_THERE)
        session = self.org.sessions.find(oauth.bearer(request))
        if session is None:
            raise ApiError(401, "INVALID_SESSION_ID", "Session expired or invalid")
        entry.token = session.number
        response = self._counted(request, entry, session)
        return Response(
            response.status,
            response.body,
            {"Sforce-Limit-Info": self.org.usage.header()} | response.headers,
        )

    def _page(self, record_id: str) -> Response:
        """Send people to the page on which they see a record, as Salesforce's own address does."""
        name = "Lead" if record_id.startswith("00Q") else "Contact"
        return Response(302, "", {"Location": f"{self.org.page_url}/ui/{name}?q={record_id}"})

    def _counted(self, request: Request, entry: Entry, session: Session) -> Response:
        """Answer as a call that counts, also when it is refused."""
        if not self.org.access.api_enabled:
            error = ApiError(403, "API_DISABLED_FOR_ORG", "API is not enabled for this Organization or Partner")
            return Response(error.status, error.body())
        try:
            self.org.usage.count()
        except ApiError as error:
            return Response(error.status, error.body())
        entry.api_calls = 1
        return self._call(request, entry, session)

    def _call(self, request: Request, entry: Entry, session: Session) -> Response:
        def inner(part: Request) -> Response:
            return self._call(part, entry, session)

        try:
            version, path = self._version_and_path(request)
            return routes.answer(Call(self.org, request, session, f"{version}.0", entry, inner), path)
        except ApiError as error:
            return Response(error.status, error.body())
        except RecordError as error:
            return Response(400, error.as_request_error().body())

    def _version_and_path(self, request: Request) -> tuple[int, str]:
        match = VERSIONED.fullmatch(request.path)
        number = int(match.group(1)) if match else 0
        if match is None or number > self.org.settings.newest_version:
            raise ApiError(404, "NOT_FOUND", NOT_THERE)
        if number < self.org.settings.oldest_version:
            raise ApiError(410, "UNSUPPORTED_API_VERSION", f"API version {number}.0 has been retired")
        return number, match.group(2) or ""
