"""The readiness check: is everything there that the site needs? All parts are checked at the same time, with a limit.

The database is checked over a connection of its own and with a real write: a full disk still answers queries.
"""

import os
import tempfile
from collections.abc import Callable, Sequence
from concurrent import futures
from functools import cache
from pathlib import Path

import psycopg2
import redis
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.files.storage import default_storage
from django.db import connection

from salesconnect import static_files
from salesconnect.lib.database import failures, pending_migrations
from salesconnect.models import SignOfLife
from salesconnect.operations import heartbeat, key_fit

ANSWER_SECONDS = 1.6
# The active beat sends a heartbeat every five seconds; a standby takes over after twenty.
BEAT_SECONDS = 45
PROBE = 8_000
PROBES_LIMIT = 4 * 1024 * 1024
ORDER = ("database", "keys", "disk", "migrations", "broker", "worker", "beat", "files", "static")

# Below ANSWER_SECONDS, so that a statement that hangs ends before the response is due.
_LIMITS = "SET LOCAL statement_timeout = 1200; SET LOCAL lock_timeout = 800; "
_ASK = """
SELECT (SELECT at > now() - make_interval(secs => %s) FROM salesconnect_signoflife WHERE name = %s),
    pg_relation_size('salesconnect_writeprobe')
"""
_SIGN = """
INSERT INTO salesconnect_signoflife (name, holder, at) VALUES (%s, '', now())
ON CONFLICT (name) DO UPDATE SET at = EXCLUDED.at
"""


def missing() -> list[str]:
    """Return the names of missing parts within two seconds; empty if the site is ready."""
    parts: dict[str, Callable[[], Sequence[str]]] = {
        "database": _database,
        "broker": _broker,
        "files": _files,
        "static": _static,
    }
    asked = {name: _pool(name).submit(part) for name, part in parts.items()}
    futures.wait(asked.values(), timeout=ANSWER_SECONDS)
    found = {name for name, answer in asked.items() if not answer.done()}
    for answer in asked.values():
        found |= set(answer.result()) if answer.done() else set()
    if key_fit.refused:
        found.add("keys")
    if "database" in found:
        found -= {"beat", "migrations"}  # unknown without the database
    return [name for name in ORDER if name in found]


@cache
def _pool(_name: str) -> futures.ThreadPoolExecutor:
    """Return the single thread for one part, so that a part that hangs never holds more than one thread."""
    return futures.ThreadPoolExecutor(max_workers=1)


def _database() -> Sequence[str]:
    wanted = {**connection.get_connection_params(), "connect_timeout": 2}
    wanted.pop("cursor_factory", None)
    try:
        other = psycopg2.connect(**wanted)
        try:
            return _of_database(other)
        finally:
            other.close()
    except psycopg2.errors.UndefinedTable:
        return ["migrations"]
    except psycopg2.Error as problem:
        return ["disk"] if failures.is_disk_full(problem) else ["database"]


def _of_database(other: "psycopg2.extensions.connection") -> Sequence[str]:
    found = []
    with other.cursor() as cursor:
        cursor.execute(_LIMITS + _ASK, [BEAT_SECONDS, SignOfLife.BEAT])
        [(beats, size)] = cursor.fetchall()
        cursor.execute("SELECT app, name FROM django_migrations")
        found += ["migrations"] if pending_migrations.known_migrations() - set(cursor.fetchall()) else []
        found += [] if beats else ["beat"]
        # Random bytes cannot be compressed, so the insert needs a new page. It is rolled back at once.
        cursor.execute("SAVEPOINT probe; INSERT INTO salesconnect_writeprobe (filler) VALUES (%s)", [os.urandom(PROBE)])
        cursor.execute("ROLLBACK TO SAVEPOINT probe")
        if size > PROBES_LIMIT:
            cursor.execute("TRUNCATE salesconnect_writeprobe")
        cursor.execute(_SIGN, [SignOfLife.SITE])
    other.commit()
    return found


def _broker() -> Sequence[str]:
    try:
        with heartbeat.client(seconds=1) as broker:
            return [] if broker.exists(heartbeat.KEY) else ["worker"]
    except (redis.RedisError, OSError):
        return ["broker", "worker"]


def _files() -> Sequence[str]:
    """Write to the upload folder, which may be on another disk than the database."""
    folder = Path(default_storage.path(""))
    try:
        folder.mkdir(mode=settings.FILE_UPLOAD_DIRECTORY_PERMISSIONS, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(64 * 1024))
    except OSError as problem:
        return ["disk"] if failures.classify(problem) else ["files"]
    return []


def _static() -> Sequence[str]:
    return [] if static_files.are_there(staticfiles_storage) else ["static"]
