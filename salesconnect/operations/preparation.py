"""Checks before the start, and preparation of database, static files and the first administrator."""

import errno
import fcntl
import hashlib
import os
import secrets
import socket
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from time import monotonic, sleep

import psycopg2
import redis
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connection
from django.db.models import Q

from contacts.events import partitions
from salesconnect.embedded import EmbeddedError
from salesconnect.lib.database import failures
from salesconnect.operations import heartbeat, key_fit, liveness

ADMINISTRATOR = "admin"
PORT_PATIENCE_SECONDS = 2.0
CONNECT_SECONDS = 5


def check_port(port: int) -> None:
    """Raise `EmbeddedError` if the site cannot listen on the port.

    Waits a moment for a port in use: the processes of an installation that was just killed need time to end.
    """
    deadline = monotonic() + PORT_PATIENCE_SECONDS
    while problem := _port_problem(port):
        taken = getattr(problem, "errno", None) == errno.EADDRINUSE
        if not taken or monotonic() > deadline:
            reason = getattr(problem, "strerror", None) or problem
            raise EmbeddedError(f"Port {port} of 127.0.0.1 cannot be used ({reason}). Set PORT to another one.")
        sleep(0.1)


def _port_problem(port: int) -> Exception | None:
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as problem:
            return problem
    return None


def check_external_servers() -> None:
    """Raise `EmbeddedError`, without any password in it, if a configured external server does not answer."""
    if not settings.EMBEDDED_DATABASE:
        wanted = {**connection.get_connection_params(), "connect_timeout": CONNECT_SECONDS}
        try:
            psycopg2.connect(**wanted).close()
        except psycopg2.Error as error:
            raise EmbeddedError(f"The server of DATABASE_URL cannot be used: {failures.in_one_line(error)}") from error
    if not settings.EMBEDDED_REDIS:
        try:
            with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=CONNECT_SECONDS) as client:
                client.ping()
        except (redis.RedisError, ValueError) as error:
            raise EmbeddedError(f"The server of REDIS_URL cannot be used: {failures.in_one_line(error)}") from error


def prepare(say: Callable[[str], None]) -> None:
    """Migrate the database, collect static files, and create the first administrator."""
    say("Preparing the database and the static files")
    # Before the migration, so that a start with wrong keys changes nothing.
    key_fit.check(remember=False)
    call_command("migrate", interactive=False, verbosity=0)
    key_fit.check()
    partitions.ensure()
    collect_static()
    _make_first_administrator(os.environ.get("SALESCONNECT_ADMIN_PASSWORD", ""), say)


def make_tables() -> None:
    if not connection.introspection.table_names():
        call_command("migrate", interactive=False, verbosity=0)
        partitions.ensure()


def forget_last_heartbeat() -> None:
    """Remove the heartbeats of ended processes, so that /readyz reports on the new ones."""
    with heartbeat.client() as broker:
        broker.delete(heartbeat.KEY)
    if settings.EMBEDDED_DATABASE:
        liveness.forget_beat()


def _make_first_administrator(password: str, say: Callable[[str], None]) -> None:
    """Create the user `admin` if there is no administrator. A generated password is printed once."""
    users = get_user_model().objects
    if users.filter(Q(role="administrator") | Q(username=ADMINISTRATOR)).exists():
        return
    users.create_user(ADMINISTRATOR, password=password or (made := secrets.token_urlsafe(12)), role="administrator")
    shown = "the password of SALESCONNECT_ADMIN_PASSWORD" if password else f"the password {made} (shown this once)"
    say(f"Sign in as {ADMINISTRATOR} with {shown}.")


def collect_static() -> None:
    """Collect the static files under hashed names, unless that was done for exactly these files.

    Several installations may share one copy of the code, so a lock lets one collect while the others wait.
    """
    root = Path(settings.STATIC_ROOT)
    stamp, now = root / ".collected", _fingerprint()
    if _reads(stamp, now):
        return
    root.parent.mkdir(parents=True, exist_ok=True)
    with root.with_name(f"{root.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _reads(stamp, now):
            call_command("collectstatic", interactive=False, clear=True, verbosity=0)
            stamp.write_text(now)


def _reads(stamp: Path, text: str) -> bool:
    return stamp.exists() and stamp.read_text() == text


def _fingerprint() -> str:
    """Return a digest of the contents of all static files; modification times differ in a copy of the code."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list(ignore_patterns=[]):
            content = Path(storage.path(name)).read_bytes()
            digest.update(f"{name} {hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()
