"""What was asked of the org, for assertions: no tokens, bodies as digests and, where short, as text."""

import re
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any

from tests.salesforce_org.web import Request

LONGEST_BODY = 200_000
OF_INTEREST = ("user-agent", "content-type", "accept", "accept-encoding", "if-unmodified-since", "if-modified-since")
TOKEN = re.compile(r"(?<=oauth_token=)[^&]+")
SIGN_IN = "/services/oauth2/"


@dataclass
class Entry:
    """A request and its outcome; `api_calls` counts against the daily limit, `token` numbers the access tokens."""

    number: int
    at: float
    method: str
    path: str
    headers: dict[str, str]
    body_sha256: str
    body: str | None
    status: int = 0
    api_calls: int = 0
    token: int | None = None
    fault: str | None = None
    wire: str = "ok"
    seconds: float = 0
    inside: list[dict[str, Any]] = field(default_factory=list)  # the subrequests of a composite


class Journal:
    """The entries since the last reset."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._count = 0

    def begin(self, request: Request, at: float) -> Entry:
        """Note a request as it comes in."""
        self._count += 1
        headers = {
            name: value for name, value in request.headers.items() if name in OF_INTEREST or name.startswith("sforce-")
        }
        secret = request.path.startswith(SIGN_IN)
        short = len(request.body) <= LONGEST_BODY and not secret
        entry = Entry(
            number=self._count,
            at=at,
            method=request.method,
            path=TOKEN.sub("…", request.target),
            headers=headers,
            body_sha256=sha256(request.body).hexdigest(),
            body=request.body.decode(errors="replace") if short else None,
        )
        self.entries.append(entry)
        return entry

    def find(self, method: str = "", path: str = "", after: int = 0) -> list[dict[str, Any]]:
        """Return the entries of a method, with a regular expression found in path and query, after a number."""
        return [
            asdict(entry)
            for entry in list(self.entries)
            if entry.number > after and method in {"", entry.method} and re.search(path, entry.path)
        ]

    def clear(self) -> None:
        """Forget all entries; numbers go on."""
        self.entries = []
