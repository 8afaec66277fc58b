"""A thin client of Salesforce's REST API: timeouts, retries by kind of error, token renewal, API usage.

Every request is idempotent: writes set fixed values of known records. So a write whose reply was lost is sent again.
"""

import datetime as dt
import json
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import requests

from unsubscribes.crm.flight import FlightRecorder
from unsubscribes.crm.provider_errors import ErrorKind, ProviderError
from unsubscribes.crm.salesforce.api import auth, hosts
from unsubscribes.crm.salesforce.api.error_codes import request_class
from unsubscribes.crm.salesforce.mapping import usage
from unsubscribes.crm.values import WriteResult

TIMEOUT = (5, 30)
TRIES = 5
PATIENCE = 120.0
FIRST_DELAY, LONGEST_DELAY = 0.5, 30.0
HEADERS = {
    "Accept": "application/json",
    "User-Agent": "sales-connect",
    "Sforce-Call-Options": "client=sales-connect",
    # The default is TRUE: writing an opt-out to a Lead could give it another owner.
    "Sforce-Auto-Assign": "FALSE",
}
# Signs that a host is not Salesforce, or no longer: no answer, or an HTML page.
FOREIGN = "NOT_SALESFORCE"
NOT_SALESFORCE = ("NO_ANSWER", FOREIGN)
# Errors that only Salesforce can report, always with an error code; without one, a proxy answered.
UNSAID = (ErrorKind.PERMISSION, ErrorKind.BUG, ErrorKind.GONE)
COMPOSITE_HEADERS = {"Sforce-Auto-Assign": "FALSE"}

Body = Any


@dataclass(frozen=True, slots=True)
class RawPage:
    """A page of a query's answer, and whether it is the last."""

    records: list[dict[str, Any]]
    done: bool


@dataclass(frozen=True, slots=True)
class SubRequest:
    name: str
    path: str
    params: Mapping[str, str]


class Client:
    """Sends requests to the org. `alive` is called before each attempt; it renews a lease, or raises.

    `patience` is the total time for a request in seconds. With `read_only`, anything but a GET is refused here.
    """

    def __init__(
        self,
        version: str,
        *,
        alive: Callable[[], object] = lambda: None,
        patience: float = PATIENCE,
        read_only: bool = False,
    ) -> None:
        self.base = f"/services/data/v{version}/"
        self.alive, self.patience, self.read_only = alive, patience, read_only
        self.session = requests.Session()
        self.session.trust_env = False
        self.token: auth.AccessToken | None = None
        self.calls = 0
        self.flight = FlightRecorder()
        self.used: tuple[int, int] | None = None
        self.now: dt.datetime | None = None
        self.heard = 0.0

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *error: object) -> None:
        self.session.close()

    def get(self, path: str, **params: str) -> Body:
        """Return the body of a GET; `path` is within the API's version, or begins at the host with a slash."""
        return self.send("GET", path, params=params).json()

    def query(self, soql: str) -> Iterator[RawPage]:
        """Yield the pages of a query that includes deleted and merged records."""
        yield from self.pages(self.get("queryAll", q=soql))

    def pages(self, body: Body) -> Iterator[RawPage]:
        """Yield the given first page and those that follow, until `done`; a short page need not be the last.

        A single page with fewer records than its `totalSize` is an error; the missing ones would be taken for "nothing
        has changed". Of several pages records may be deleted in between. A page that was read already is an error too.
        """
        brought, read = 0, set[str]()
        while True:
            try:
                records, done, total = list(body["records"]), body["done"], body.get("totalSize")
                following = "" if done else str(body["nextRecordsUrl"])
                least = (total or 0) if not read else min(total or 0, 1)
                incomplete = done and brought + len(records) < least
            except (AttributeError, KeyError, TypeError):
                raise ProviderError(ErrorKind.TRANSIENT, "BAD_BODY") from None
            if incomplete or following in read:
                raise ProviderError(ErrorKind.TRANSIENT, "BAD_BODY")
            brought += len(records)
            yield RawPage(records, done)
            if done:
                return
            read.add(following)
            body = self.get(following)

    def composite(self, parts: Sequence[SubRequest]) -> list[Body]:
        """Return the bodies of several GETs that cost one API call, in order. Raises the first error among them."""
        wanted = [
            {
                "method": "GET",
                "url": f"{self.base}{part.path}?{urlencode(part.params, quote_via=quote)}",
                "referenceId": part.name,
                "httpHeaders": COMPOSITE_HEADERS,
            }
            for part in parts
        ]
        body = {"allOrNone": False, "compositeRequest": wanted}
        answer = self.send("POST", "composite", body=body, only_reads=True).json()
        try:
            answers = {each["referenceId"]: each for each in answer["compositeResponse"]}
            found = [answers[part.name] for part in parts]
            failed = [each for each in found if each["httpStatusCode"] != requests.codes.ok]
        except (KeyError, TypeError):
            raise ProviderError(ErrorKind.TRANSIENT, "BAD_BODY") from None
        if failed:
            raise _trouble(failed[0]["httpStatusCode"], failed[0]["body"], {})
        return [each["body"] for each in found]

    def update(self, records: Sequence[Mapping[str, Any]]) -> list[WriteResult]:
        """Write up to 200 records, each with `attributes` and `id`; return the results by position.

        A success that names another record, or none, is rejected as a malformed answer.
        """
        answer = self.send("PATCH", "composite/sobjects", body={"allOrNone": False, "records": list(records)}).json()
        if not isinstance(answer, list) or len(answer) != len(records):
            raise ProviderError(ErrorKind.TRANSIENT, "BAD_BODY")
        try:
            return [_result(each, str(record["id"])) for each, record in zip(answer, records, strict=True)]
        except (AttributeError, KeyError, TypeError):
            raise ProviderError(ErrorKind.TRANSIENT, "BAD_BODY") from None

    def change(self, sobject: str, sf_id: str, values: Mapping[str, Any], *, unmodified_since: dt.datetime) -> None:
        """Write one record. Raises `ProviderError` (`MOVED_ON`) when it has changed after `unmodified_since`."""
        stamp = unmodified_since.astimezone(dt.UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
        self.send("PATCH", f"sobjects/{sobject}/{sf_id}", body=values, headers={"If-Unmodified-Since": stamp})

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Body = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        only_reads: bool = False,
    ) -> requests.Response:
        """Send a request, with retries of transient errors, for at most `patience` seconds. Raises `ProviderError`.

        After a 401 or a redirect a new token is requested once, because its answer also names the host on which the org
        is now; a second 401 or redirect is `AUTH`. A host that does not answer like Salesforce may be one that the org
        has left: after the last retry a new token is requested, and if it names another host, that one is tried.
        """
        if self.read_only and method != "GET" and not only_reads:
            raise RuntimeError("a dry run writes nothing")
        data = data if body is None else json.dumps(body).encode()
        deadline, tries, renewed = time.monotonic() + self.patience, 0, False
        while True:
            self.alive()
            try:
                return self._once(method, path, params, data, {**HEADERS, **(headers or {})})
            except ProviderError as error:
                if error.kind in (ErrorKind.AUTH, ErrorKind.ELSEWHERE) and self.token and not renewed:
                    renewed, self.token = True, self._renewed()
                    continue
                if error.kind is ErrorKind.ELSEWHERE:
                    raise ProviderError(ErrorKind.AUTH, "INSTANCE_MOVED", error.message) from None
                tries += 1
                delay = _delay(tries, error.retry_after)
                if error.kind is not ErrorKind.TRANSIENT:
                    raise
                if tries < TRIES and time.monotonic() + delay <= deadline:
                    self.wait(delay)
                elif error.code in NOT_SALESFORCE and not renewed and self._moved():
                    renewed, tries, deadline = True, 0, time.monotonic() + self.patience
                else:
                    raise

    def _moved(self) -> bool:
        if self.token is None:
            return False
        before, self.token = self.token.instance_url, self._renewed()
        return self.token.instance_url != before

    def _once(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        data: bytes | None,
        headers: Mapping[str, str],
    ) -> requests.Response:
        token = self.token = self.token or auth.current()
        if not hosts.is_safe(token.instance_url):
            raise ProviderError(ErrorKind.AUTH, "UNSAFE_INSTANCE_URL")
        if not re.fullmatch(r"/?[\w.\-/]+", path):
            raise ProviderError(ErrorKind.BUG, "BAD_ADDRESS")
        self.calls += 1
        with self.flight.call(method, path) as call:
            try:
                answer = self.session.request(
                    method,
                    f"{token.instance_url}{path if path.startswith('/services/') else self.base + path}",
                    params=urlencode(params, quote_via=quote) if params else None,
                    data=data,
                    headers={"Content-Type": "application/json", **headers, "Authorization": f"Bearer {token.value}"},
                    timeout=TIMEOUT,
                    allow_redirects=False,
                )
            except requests.RequestException:
                raise ProviderError(ErrorKind.TRANSIENT, "NO_ANSWER") from None
            call["status"] = str(answer.status_code)
        self._note(answer)
        if answer.status_code == requests.codes.ok and "json" in headers["Accept"] and _parsed(answer) is None:
            raise ProviderError(ErrorKind.TRANSIENT, FOREIGN if _is_page(answer) else "BAD_BODY")
        if answer.status_code >= 300:  # noqa: PLR2004
            error = _trouble(answer.status_code, _parsed(answer), answer.headers)
            if _is_page(answer) and error.kind is ErrorKind.TRANSIENT:
                error.code = FOREIGN
            raise error
        return answer

    def _note(self, answer: requests.Response) -> None:
        self.used = usage(answer.headers.get("Sforce-Limit-Info")) or self.used
        try:
            self.now, self.heard = parsedate_to_datetime(answer.headers["Date"]), time.monotonic()
        except (KeyError, ValueError):
            self.now = None

    def time(self) -> dt.datetime | None:
        """Return Salesforce's present time, extrapolated from its last answer; None if that had no `Date` header."""
        return self.now + dt.timedelta(seconds=time.monotonic() - self.heard) if self.now else None

    def _renewed(self) -> auth.AccessToken:
        return auth.renewed(self.token.generation if self.token else 0)

    def wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 5))
            self.alive()


def _is_page(answer: requests.Response) -> bool:
    return "html" in answer.headers.get("Content-Type", "").lower()


def _parsed(answer: requests.Response) -> Body:
    try:
        return answer.json()
    except ValueError:
        return None


def _trouble(status: int, body: Body, headers: Mapping[str, str]) -> ProviderError:
    first = body[0] if isinstance(body, list) and body and isinstance(body[0], dict) else {}
    code = str(first.get("errorCode", ""))
    kind = request_class(status, code)
    if not code and kind in UNSAID:
        kind = ErrorKind.TRANSIENT  # the answer of a proxy, not of Salesforce
    if kind is ErrorKind.ELSEWHERE:
        there = urlsplit(headers.get("Location", "")).hostname or ""
        return ProviderError(kind, code or f"HTTP_{status}", f"HTTP {status} {there}".strip()[:200])
    text = headers.get("Retry-After", "")
    retry_after = float(text) if re.fullmatch(r"\d{1,6}", text) else None
    return ProviderError(kind, code or f"HTTP_{status}", str(first.get("message", "")), retry_after=retry_after)


def _result(answer: Mapping[str, Any], sf_id: str) -> WriteResult:
    if answer.get("success"):
        if answer["success"] is not True or str(answer["id"])[:15] != sf_id[:15]:
            raise ProviderError(ErrorKind.TRANSIENT, "BAD_BODY")
        return WriteResult()
    error = (answer.get("errors") or [{}])[0]
    return WriteResult(str(error.get("statusCode") or "UNKNOWN_ERROR"), str(error.get("message", ""))[:500])


def _delay(tries: int, retry_after: float | None) -> float:
    """Return the delay: Retry-After if given, else exponential backoff with full jitter, which spreads the workers."""
    if retry_after is not None:
        return retry_after
    return random.uniform(0.1, min(LONGEST_DELAY, FIRST_DELAY * 2**tries))  # noqa: S311 - no secret
