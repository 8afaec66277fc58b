"""Everything that is stored, as one text: a dump of the database, the files of the data folder, what Redis holds."""

import subprocess
from pathlib import Path

import redis
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.files.storage import default_storage
from django.db import connection

from salesconnect.embedded.account import binaries

TABLES = """
    SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition
    AND relnamespace = 'public'::regnamespace ORDER BY 1
"""


def dump(*options: str) -> bytes:
    """Return what pg_dump writes of the test database."""
    parts = connection.settings_dict
    command = [str(binaries() / "pg_dump"), "-h", parts["HOST"], "-p", str(parts["PORT"] or 5432), "-U", parts["USER"]]
    return subprocess.run([*command, *options, parts["NAME"]], check=True, capture_output=True).stdout


def everything() -> str:
    """Return all of it in small letters."""
    texts = [dump("--data-only").decode(), files_as_text()]
    texts += [str(session.get_decoded()) for session in Session.objects.all()]
    store = redis.Redis.from_url(settings.REDIS_URL)
    for key in store.scan_iter():
        read = {b"string": store.get, b"hash": store.hgetall, b"list": lambda k: store.lrange(k, 0, -1)}
        read |= {b"set": store.smembers, b"zset": lambda k: store.zrange(k, 0, -1)}
        texts.append(f"{key} {read[store.type(key)](key)}")
    return "\n".join(texts).lower()


def files_as_text() -> str:
    """Return the files of the data folder and the ledger in small letters."""
    texts = []
    for folder in (Path(default_storage.path("")), Path(settings.ERASURE_LEDGER).parent):
        files = [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []
        texts += [path.read_bytes().decode(errors="replace") for path in files]
    return "\n".join(texts).lower()


def tables_as_text() -> str:
    """Return every row of every table in small letters, as the running transaction sees them."""
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        rows = " UNION ALL ".join(f"SELECT '{name}: ' || t::text FROM \"{name}\" t" for (name,) in cursor.fetchall())
        cursor.execute(f"SELECT lower(string_agg(row, E'\\n')) FROM ({rows}) AS everything (row)")
        return str(cursor.fetchone()[0])
