"""What is checked before anything starts, and prepared before the site opens."""

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
from salesconnect.lib.database import trouble
from salesconnect.operations import heartbeat, key_fit, liveness

ADMINISTRATOR = "admin"
PORT_PATIENCE_SECONDS = 2.0
CONNECT_SECONDS = 5


def check_port(port: int) -> None:
    """Refuse in one line a port on which the site cannot listen.

    Waits a moment for one that is taken: the processes of a product that was killed need it to go.
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
    """Refuse in one line, without any password, servers of the environment that do not answer."""
    if not settings.EMBEDDED_DATABASE:
        wanted = {**connection.get_connection_params(), "connect_timeout": CONNECT_SECONDS}
        try:
            psycopg2.connect(**wanted).close()
        except psycopg2.Error as error:
            raise EmbeddedError(f"The server of DATABASE_URL cannot be used: {trouble.in_one_line(error)}") from error
    if not settings.EMBEDDED_REDIS:
        try:
            with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=CONNECT_SECONDS) as client:
                client.ping()
        except (redis.RedisError, ValueError) as error:
            raise EmbeddedError(f"The server of REDIS_URL cannot be used: {trouble.in_one_line(error)}") from error


def prepare(say: Callable[[str], None]) -> None:
    """Bring database and static files up to date and see that somebody can sign in."""
    say("Preparing the database and the static files")
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
    """Forget the signs of life of processes that have ended, so that /readyz speaks of the new ones."""
    with heartbeat.client() as broker:
        broker.delete(heartbeat.KEY)
    if settings.EMBEDDED_DATABASE:
        liveness.forget_beat()


def _make_first_administrator(password: str, say: Callable[[str], None]) -> None:
    """Make the user `admin` where there is no administrator yet; a password made here is said this once."""
    users = get_user_model().objects
    if users.filter(Q(role="administrator") | Q(username=ADMINISTRATOR)).exists():
        return
    users.create_user(ADMINISTRATOR, password=password or (made := secrets.token_urlsafe(12)), role="administrator")
    shown = "the password of SALESCONNECT_ADMIN_PASSWORD" if password else f"the password {made} (shown this once)"
    say(f"Sign in as {ADMINISTRATOR} with {shown}.")


def collect_static() -> None:
    """Gather the static files under hashed names, unless that was done for exactly these files.

    Several products may run from one copy of the code, so one gathers at a time, and the others find it done.
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
    """Return a digest of all static files, by what they hold: a copy of the code has other times."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list(ignore_patterns=[]):
            content = Path(storage.path(name)).read_bytes()
            digest.update(f"{name} {hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()
