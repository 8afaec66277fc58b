"""The tests' databases: tables are made once for each state of the migrations; every process tests on a copy."""

import hashlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from psycopg2 import extensions, sql

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = "test_tables_"
# Any number; it keeps processes that start together from making the same template twice.
LOCK = 7_331_001
# What Django itself fills again after every flush.
FILLED_BY_DJANGO = {"auth_permission", "django_content_type"}


@contextmanager
def copy(suffix: str) -> Iterator[None]:
    """Point Django's connection to a new database with the product's tables, and drop it at the end.

    `suffix` tells the databases of processes that test side by side apart.
    """
    with _new(f"test_{connection.settings_dict['NAME']}{suffix}", _template()):
        # For every connection: while a browser is driven, Django gives the same thread another one.
        type(connection.ops).sql_flush = _what_empties
        yield


@contextmanager
def empty(name: str) -> Iterator[None]:
    """Point Django's connection to a new database without tables, and drop it at the end."""
    with _new(name):
        yield


@contextmanager
def _new(name: str, template: str = "template1") -> Iterator[None]:
    usual = connection.settings_dict["NAME"]
    with _server() as cursor:
        _drop(cursor, name)
        cursor.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*map(sql.Identifier, (name, template))))
    _use(name)
    try:
        yield
    finally:
        _use(usual)
        with _server() as cursor:
            _drop(cursor, name)


def _what_empties(_operations: object, _style: object, _tables: list[str], **_options: bool) -> list[str]:
    """Return the SQL that empties the database after a test that really commits, the history included.

    Django's own truncates every table, and PostgreSQL then makes some five hundred files anew; it leaves the history
    out, whose triggers refuse that.
    """
    names = {model._meta.db_table for model in apps.get_models(include_auto_created=True)} - FILLED_BY_DJANGO
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM \"{name}\")" for name in names))
        filled = [name for (name,) in cursor.fetchall()]
    return ["SET LOCAL session_replication_role = replica", *(f'DELETE FROM "{name}"' for name in filled)]


def _template() -> str:
    """Return the name of a database with all tables and no people; make it when no run before this one did."""
    name = TEMPLATES + _state_of_the_migrations()
    usual = connection.settings_dict["NAME"]
    with _server() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        if settings.EMBEDDED_DATABASE:
            _make_quick_and_steady(cursor)
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [TEMPLATES])
        found = [row[0] for row in cursor.fetchall()]
        if name in found:
            return name
        for old in found:
            _drop(cursor, old)
        draft = f"draft_{name}"
        _drop(cursor, draft)
        cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(draft)))
        _use(draft)
        try:
            call_command("migrate", interactive=False, verbosity=0)
        finally:
            _use(usual)
        # Only a finished one bears the name: a run that was interrupted here leaves nothing that looks whole.
        cursor.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*map(sql.Identifier, (draft, name))))
    return name


def _make_quick_and_steady(cursor: extensions.cursor) -> None:
    """Let the server of the tests wait for no disk, and let it clean up and gather statistics only when it is told to.

    Nobody needs these data after a power cut. What happens by itself once a minute would meet one test today and
    another tomorrow, and it costs time.
    """
    for setting in ("fsync", "full_page_writes", "autovacuum"):
        cursor.execute(f"ALTER SYSTEM SET {setting} = off")
    cursor.execute("SELECT pg_reload_conf()")


def _state_of_the_migrations() -> str:
    """Return a short hash of every file that a migration is made of, and of the packages' versions."""
    # Not in the folders of packages and running servers: there are many files, and some vanish meanwhile.
    folders = [folder for folder in ROOT.iterdir() if folder.is_dir() and not folder.name.startswith(".")]
    found = [path for folder in folders for path in folder.glob("**/migrations/*")]
    files = [path for path in found if path.is_file() and path.suffix in {".py", ".sql"}]
    state = hashlib.sha256((ROOT / "requirements.lock").read_bytes())
    for path in sorted(files):
        state.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return state.hexdigest()[:12]


def _use(name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = name


def _drop(cursor: extensions.cursor, name: str) -> None:
    """Drop a database, and with it the sessions that threads and processes of ended tests left."""
    cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def _server() -> Iterator[extensions.cursor]:
    """Give a cursor outside of every transaction, as CREATE DATABASE needs it; its end releases its locks."""
    wanted = {**connection.get_connection_params(), "dbname": "postgres"}
    wanted = {name: value for name, value in wanted.items() if name in {"dbname", "user", "password", "host", "port"}}
    with closing(psycopg2.connect(**wanted)) as link:
        link.autocommit = True
        with link.cursor() as cursor:
            yield cursor
