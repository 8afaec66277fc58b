"""Who uses the servers: the first that comes starts them, the last that leaves stops them."""

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

    Servers that run already are used. What had to be started keeps running as long as any process holds them, and is
    stopped by the last one that leaves. A process that was killed is no holder, for the locks are the kernel's.
    """
    where = servers(data)
    with supervised(where, postgres=postgres, redis=redis, attached=False):
        yield where


@contextmanager
def supervised(where: Servers, *, postgres: bool, redis: bool, attached: bool = True) -> Iterator[list[Started]]:
    """Do the same for a caller that watches the servers: give it each with its process, None if it ran already."""
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
            with locked(where), suppress(BlockingIOError):
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                for server in every:
                    server.stop()


@contextmanager
def locked(where: Servers) -> Iterator[None]:
    """Hold the lock of starts and stops while the block runs; waits for it."""
    with (where.data / "start.lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def restart(server: Server) -> Process | None:
    """Start a server that died, attached and without waiting for it; None if somebody else was faster."""
    with locked(server.where):
        return None if server.living() else server.spawn(attached=True)


def ensure(server: Server, *, attached: bool) -> Process | None:
    """Make sure that a server answers, within `START_SECONDS`; return its process if it had to be started here."""
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
