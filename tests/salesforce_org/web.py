"""HTTP/1.1 with keep-alive on a loopback port: requests in, responses out, and the ways in which a wire can fail."""

import json
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

MOST_URI_BYTES = 16_384
RESET = struct.pack("ii", 1, 0)


@dataclass
class Request:
    """A request as the routes see it; header names are in small letters."""

    method: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        """Return the path without the query."""
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> dict[str, str]:
        """Return the parameters of the query, the last of each name."""
        pairs = parse_qs(urlsplit(self.target).query, keep_blank_values=True)
        return {name: values[-1] for name, values in pairs.items()}

    @property
    def form(self) -> dict[str, str]:
        """Return the fields of a posted form."""
        return {name: values[-1] for name, values in parse_qs(self.body.decode()).items()}

    def json(self) -> Any:
        """Return the body as JSON; raise ValueError when it is none."""
        return json.loads(self.body)


@dataclass
class Response:
    """A response, and what the wire does with it: ok, drop, reset, truncate or drip (over some seconds)."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    wire: str = "ok"
    seconds: float = 0

    def data(self) -> bytes:
        """Return the bytes of the body: text and bytes as they are, anything else as JSON."""
        if self.body is None:
            return b""
        if isinstance(self.body, bytes | str):
            return self.body if isinstance(self.body, bytes) else self.body.encode()
        return json.dumps(self.body).encode()


Answer = Callable[[Request], Response]


class Handler(BaseHTTPRequestHandler):
    """Reads requests off a connection and writes what the server's `answer` says."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 120
    server: "Server"

    def handle_one_request(self) -> None:
        """Answer one request; a client that went away is no error here."""
        try:
            super().handle_one_request()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def answer(self) -> None:
        """Answer one request of any method."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, self._body())
        if len(self.path) > MOST_URI_BYTES:
            response = Response(414, "URI Too Long", {"Content-Type": "text/plain"})
        elif len(self.path) + len(bytes(self.headers)) > MOST_URI_BYTES:
            response = Response(431, "Request Header Fields Too Large", {"Content-Type": "text/plain"})
        else:
            response = self.server.answer(request)
        self._write(response)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = answer  # noqa: N815 - http.server's names

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(chunks)

    def _write(self, response: Response) -> None:
        if response.wire in {"drop", "reset"}:
            self._hang_up(reset=response.wire == "reset")
            return
        data = response.data()
        self._write_head(response, len(data))
        if self.command == "HEAD":
            return
        if response.wire == "truncate":
            self.wfile.write(data[: len(data) // 2])
            self._hang_up(reset=False)
        elif response.wire == "drip":
            self._drip(data, response.seconds)
        else:
            self.wfile.write(data)

    def _write_head(self, response: Response, length: int) -> None:
        self.send_response_only(response.status)
        for name, value in ({"Content-Type": "application/json;charset=UTF-8"} | response.headers).items():
            self.send_header(name, value)
        if response.status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def _drip(self, data: bytes, seconds: float) -> None:
        for byte in range(len(data)):
            self.wfile.write(data[byte : byte + 1])
            self.wfile.flush()
            time.sleep(seconds / len(data))

    def _hang_up(self, *, reset: bool) -> None:
        self.wfile.flush()
        self.close_connection = True
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self.connection.close()
        else:
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *args: Any) -> None:
        """Keep quiet: the journal has it all."""


class Server(ThreadingHTTPServer):
    """Listens on loopback only; each connection has its thread."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, answer: Answer) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.answer = answer

    @property
    def url(self) -> str:
        """Return the base URL."""
        return f"http://127.0.0.1:{self.server_address[1]}"
