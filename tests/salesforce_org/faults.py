"""Fault plans: which request meets what misfortune."""

import json
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any

from tests.salesforce_org.web import Request, Response

HTML = "<html><head><title>Salesforce</title></head><body><h1>We are down for maintenance.</h1></body></html>"
DEEDS = ("status", "html", "delay", "drop_before", "drop_after", "reset", "truncate", "slow_drip")
CODES = {
    401: ("INVALID_SESSION_ID", "Session expired or invalid"),
    403: ("INSUFFICIENT_ACCESS", "insufficient access"),
    429: ("TOO_MANY_REQUESTS", "Too many requests"),
    500: ("UNKNOWN_EXCEPTION", "An unexpected error occurred."),
    503: ("SERVER_UNAVAILABLE", "The server is temporarily unavailable"),
}


@dataclass
class Match:
    """Which requests a plan is for: the n-th that fits and so many after it, or a share of them all."""

    method: str = ""
    host: str = ""  # a text to be found in the Host header
    path: str = ""  # a regular expression to be found in path and query
    body: str = ""  # a text to be found in the body
    nth: int = 1
    times: int = 1  # 0 = for ever
    probability: float = 1.0
    inside_composite: bool = False


@dataclass
class Fault:
    """A plan. `applied` lets the org do the work before a status or html answer hides that it did."""

    match: Match
    do: str
    status: int = 503
    code: str | None = None
    message: str | None = None
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0
    applied: bool = False
    met: int = 0
    done: int = 0

    def fits(self, request: Request, *, inside_composite: bool) -> bool:
        """Whether the request is one that this plan speaks of."""
        match = self.match
        return (
            match.inside_composite == inside_composite
            and match.method in {"", request.method}
            and match.host in request.headers.get("host", "")
            and re.search(match.path, request.target) is not None
            and match.body.encode() in request.body
        )

    def strikes(self, random: Random) -> bool:
        """Count a request that fits, and tell whether it is hit."""
        self.met += 1
        due = self.met >= self.match.nth and (not self.match.times or self.done < self.match.times)
        if not due or random.random() >= self.match.probability:
            return False
        self.done += 1
        return True

    def reply(self) -> Response:
        """Return the answer of a status or html fault."""
        if self.do == "html":
            return Response(self.status, HTML, {"Content-Type": "text/html;charset=UTF-8"} | self.headers)
        code, message = CODES.get(self.status, ("UNKNOWN_EXCEPTION", "An unexpected error occurred."))
        body = [{"message": self.message or message, "errorCode": self.code or code}]
        return Response(self.status, body if self.body is None else self.body, self.headers)

    def play(self, handle: Callable[[], Response]) -> Response:
        """Answer a request that is hit; `handle` does what the org would have done."""
        if self.do in {"delay", "slow_drip", "truncate", "drop_after"}:
            if self.do == "delay":
                time.sleep(self.seconds)
            response = handle()
            response.wire = {"slow_drip": "drip", "truncate": "truncate", "drop_after": "drop"}.get(self.do, "ok")
            response.seconds = self.seconds
            return response
        if self.applied:
            handle()
        if self.do in {"drop_before", "reset"}:
            return Response(wire="drop" if self.do == "drop_before" else "reset")
        return self.reply()


class Faults:
    """The plans of now, in the order in which they came; the first that strikes decides."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.plans: list[Fault] = []

    def add(self, plan: dict[str, Any]) -> int:
        """Take a plan `{"match": {…}, "do": …}`; return its number, raise ValueError or TypeError for a wrong one."""
        fault = Fault(**{**plan, "match": Match(**plan.get("match", {}))})
        if fault.do not in DEEDS:
            raise ValueError(f"do is one of {', '.join(DEEDS)}")
        re.compile(fault.match.path)
        self.plans.append(fault)
        return len(self.plans) - 1

    def find(self, request: Request, *, inside_composite: bool = False) -> Fault | None:
        """Return the plan that hits a request, None for most."""
        fitting = [fault for fault in self.plans if fault.fits(request, inside_composite=inside_composite)]
        return next((fault for fault in fitting if fault.strikes(self.random)), None)

    def as_json(self) -> list[dict[str, Any]]:
        """Return the plans with their counts."""
        return json.loads(json.dumps([asdict(fault) for fault in self.plans]))
