"""Sharing the servers between processes: the first user starts them, the last one stops them."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from salesconnect.embedded.paths import EmbeddedError, Servers, make_data_folder, make_socket_folder, servers
from salesconnect.embedded.postgres import Postgres
from salesconnect.embedded.processes import Process
from salesconnect.embedded.redis_server import Redis

START_SECONDS = 120.0
Server = Postgres | Redis
Started = tuple[Server, Process | None]


@contextmanager
def hold(data: Path, *, postgres: bool = True, redis: bool = True) -> Iterator[Servers]:
    """Keep the embedded servers of a data folder running while the block runs.

    Running servers are used, others are started. They are stopped by the last process that leaves such a block. The
    users are counted by file locks, which the kernel releases, so a killed process does not count.
    """
    where = servers(data)
    with supervised(where, postgres=postgres, redis=redis, attached=False):
        yield where


@contextmanager
def supervised(where: Servers, *, postgres: bool, redis: bool, attached: bool = True) -> Iterator[list[Started]]:
    """Like `hold`, for a caller that watches the servers: yields each with its process, None if it was running."""
    every: list[Server] = [Redis(where), Postgres(where)]
    wanted = [server for server, wish in zip(every, (redis, postgres), strict=True) if wish]
    make_data_folder(where.data)
    with (where.data / "users.lock").open("ab") as users:
        try:
            with locked(where):
                fcntl.flock(users, fcntl.LOCK_SH)
                make_socket_folder(where)
                started = [(server, ensure(server, attached=attached)) for server in wanted]
            yield started
        finally:
            # The exclusive lock is refused as long as another process holds the shared one and uses the servers.
            with locked(where), suppress(BlockingIOError):
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                for server in every:
                    server.stop()


@contextmanager
def locked(where: Servers) -> Iterator[None]:
    """Hold the lock for starting and stopping servers; waits for it."""
    with (where.data / "start.lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def restart(server: Server) -> Process | None:
    """Start a server that has died, attached, without waiting; None if another process did so already."""
    with locked(server.where):
        return None if server.living() else server.spawn(attached=True)


def ensure(server: Server, *, attached: bool) -> Process | None:
    """Wait until a server answers, at most `START_SECONDS`; return its process if it was started here."""
    deadline = time.monotonic() + START_SECONDS
    while server.living():
        if server.running():
            return None
        _wait(server, deadline)
    process = server.spawn(attached=attached)
    while not server.running():
        if process.poll() is not None:
            raise EmbeddedError(f"The embedded {server.name} does not start: {_last_words(process, server.log)}")
        _wait(server, deadline)
    server.finish_start()
    return process


def _wait(server: Server, deadline: float) -> None:
    if time.monotonic() > deadline:
        raise EmbeddedError(f"The embedded {server.name} does not answer.")
    time.sleep(0.05)


def _last_words(process: Process, log: Path) -> str:
    text = process.stdout.read() if process.stdout else log.read_bytes()
    lines = text.decode(errors="replace").strip().splitlines() or ["no reason given"]
    return next((line for line in lines if "FATAL" in line), lines[-1])
