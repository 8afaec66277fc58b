"""Gunicorn's threaded worker, changed so that threads only get complete requests.

In gunicorn's own worker a thread reads the request from the socket, so a few clients that send half a body occupy all
threads. Here the main loop, which polls all sockets, receives the requests and closes connections that are too slow.
Unsubscribe links and health checks have threads of their own, so that they are answered while all others wait for the
database.
"""

import contextlib
import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from concurrent import futures
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from salesconnect.lib.database import failures
from salesconnect.lib.database.limits import WAITED_FOR_THREAD
from salesconnect.serving.arrival import IncomingRequest

HEALTH = (b"/healthz", b"/readyz")
LINKS = (b"/u/", b"/U/", b"//u/")
OPEN_THREADS = 2
READ_SIZE = 1024 * 1024
# How long a client may leave a response unread.
SEND_SECONDS = 30
CLOSE_SECONDS = 2.0
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
REFUSAL = "HTTP/1.1 {}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
TOO_LATE, TOO_LARGE, NO_ROOM = "408 Request Timeout", "413 Content Too Large", "507 Insufficient Storage"


class BufferedSocket:
    """Stands in for the socket when gunicorn's parser reads a request: returns the stored bytes, then the end."""

    def __init__(self, stored: "SpooledTemporaryFile[bytes]") -> None:
        stored.seek(0)
        self.stored = stored

    def recv(self, size: int) -> bytes:
        return self.stored.read(size)


class Worker(ThreadWorker):
    """See the module. `arriving` holds the connections whose request is being received, oldest first."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.arriving: dict[TConn, IncomingRequest] = {}
        self.closing: deque[tuple[float, TConn]] = deque()
        self.health_pool, self.link_pool = (futures.ThreadPoolExecutor(max_workers=OPEN_THREADS) for _pool in range(2))

    def accept(self, listener: socket.socket) -> None:
        """Accept a connection. If there are too many, the one that has been sending for longest is closed for it."""
        if self.nr_conns >= self.worker_connections - 1 and self.arriving:
            self._drop(next(iter(self.arriving)))
        super().accept(listener)

    def enqueue_req(self, conn: TConn) -> None:
        """Start receiving the next request of a connection; gunicorn calls this where a thread would begin to read."""
        arrival = self.arriving[conn] = IncomingRequest()
        conn.sock.setblocking(False)
        # A thread that sends a response must not wait forever for a client that reads nothing.
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_SECONDS, 0))
        self.poller.register(conn.sock, 1, partial(self._read, conn))
        # A client may send its next request before it has the response (pipelining).
        if early := getattr(conn, "surplus", b""):
            conn.surplus = b""
            self._take(conn, arrival, early)

    def murder_pending(self) -> None:
        """Close connections whose deadline has passed; gunicorn calls this once a second."""
        super().murder_pending()
        now = time.monotonic()
        for conn, arrival in list(self.arriving.items()):
            if arrival.deadline < now:
                self._drop(conn, "" if arrival.is_silent else TOO_LATE)
        while self.closing and self.closing[0][0] < now:
            self._forget(self.closing.popleft()[1])

    def finish_request(self, conn: TConn, fs: "futures.Future[Any]") -> None:
        """Continue with a connection after a response, without waiting for the client."""
        stays = not fs.cancelled() and fs.exception() is None and fs.result()
        if not stays:
            self._close(conn)
        elif getattr(conn, "surplus", b""):
            self.enqueue_req(conn)
        else:
            super().finish_request(conn, fs)

    def handle(self, conn: TConn) -> Any:
        """Answer a received request; runs in a thread."""
        conn.data_ready = True
        WAITED_FOR_THREAD.set(time.monotonic() - conn.whole_at)
        with conn.arrived:
            conn.init()
            conn.parser.unreader.sock = BufferedSocket(conn.arrived)
            return super().handle(conn)

    def handle_quit(self, sig: int, frame: Any) -> None:
        """Stop, without waiting for the threads of health checks and links."""
        self.health_pool.shutdown(wait=False)
        self.link_pool.shutdown(wait=False)
        super().handle_quit(sig, frame)

    def _cap_keepalive(self, deadline: float) -> None:
        """Close idle connections of a worker that is stopping."""
        super()._cap_keepalive(deadline)
        for conn, arrival in list(self.arriving.items()):
            if arrival.is_silent:
                self._drop(conn)

    def _read(self, conn: TConn, _sock: socket.socket) -> None:
        arrival = self.arriving.get(conn)
        if arrival is None:
            return
        try:
            data = conn.sock.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._take(conn, arrival, data)
        else:
            self._drop(conn)

    def _take(self, conn: TConn, arrival: IncomingRequest, data: bytes) -> None:
        try:
            arrival.feed(data)
        except OSError as problem:
            if not failures.classify(problem):
                raise
            self._drop(conn, NO_ROOM)
            return
        if arrival.too_large:
            self._drop(conn, TOO_LARGE)
        elif arrival.whole:
            self._give(conn, arrival)
        elif arrival.wants_word:
            arrival.wants_word = False
            with contextlib.suppress(OSError):
                conn.sock.send(CONTINUE)

    def _give(self, conn: TConn, arrival: IncomingRequest) -> None:
        self._leave(conn)
        conn.arrived, conn.surplus, conn.whole_at = arrival.stored, arrival.surplus, time.monotonic()
        done: Callable[[futures.Future[Any]], None] = partial(self.method_queue.defer, self.finish_request, conn)
        self._pool(arrival.path).submit(self.handle, conn).add_done_callback(done)

    def _pool(self, path: bytes) -> futures.ThreadPoolExecutor:
        if path.startswith(HEALTH):
            return self.health_pool
        return self.link_pool if path.startswith(LINKS) else self.tpool

    def _leave(self, conn: TConn) -> None:
        self.arriving.pop(conn, None)
        with contextlib.suppress(KeyError, OSError, ValueError):
            self.poller.unregister(conn.sock)

    def _drop(self, conn: TConn, status: str = "") -> None:
        arrival = self.arriving.get(conn)
        self._leave(conn)
        if arrival is not None:
            arrival.stored.close()
        if status:
            with contextlib.suppress(OSError):
                conn.sock.send(REFUSAL.format(status).encode())
            self._close(conn)
        else:
            self._forget(conn)

    def _close(self, conn: TConn) -> None:
        """Close the sending side, and give the client a moment to read the response (RFC 9112, 9.6)."""
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
            self.poller.register(conn.sock, 1, partial(self._drain, conn))
        except (KeyError, OSError, ValueError):
            self._forget(conn)
            return
        self.closing.append((time.monotonic() + CLOSE_SECONDS, conn))

    def _drain(self, conn: TConn, sock: socket.socket) -> None:
        try:
            more = sock.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            more = b""
        if not more:
            self.closing = deque(entry for entry in self.closing if entry[1] is not conn)
            self._forget(conn)

    def _forget(self, conn: TConn) -> None:
        with contextlib.suppress(KeyError, OSError, ValueError):
            self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()
