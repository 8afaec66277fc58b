"""The pages for load balancers and monitors."""

import errno
import socket
import tempfile
from contextlib import closing

import psycopg2
import pytest
from django.core.management import call_command
from django.db import connection
from django.db.backends.postgresql.base import DatabaseWrapper

from salesconnect.lib.database import pending_migrations
from salesconnect.models import SignOfLife
from salesconnect.operations import heartbeat, liveness, readiness
from salesconnect.version import VERSION

NO_SERVER = {"dbname": "nobody", "host": "/nowhere"}


def other(statement: str, *values: object) -> None:
    """Run a statement over a connection of its own, whose work is seen by others at once."""
    wanted = {**connection.get_connection_params(), "cursor_factory": None}
    with closing(psycopg2.connect(**wanted)) as session, session, session.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.fixture
def broker():
    """Return a client of the broker, in which no worker has given a sign of life."""
    with heartbeat.client() as client:
        client.delete(heartbeat.KEY)
        yield client
        client.delete(heartbeat.KEY)


@pytest.fixture
def all_there(db, broker):
    """Give the signs of life of a worker and of a beat."""
    heartbeat.beat()
    other("DELETE FROM salesconnect_signoflife")
    other("INSERT INTO salesconnect_signoflife VALUES ('beat', 'elsewhere:1:x', now())")
    yield
    other("DELETE FROM salesconnect_signoflife")


def missing(client) -> list[str]:
    answer = client.get("/readyz")
    body = answer.json()
    assert answer.status_code == (503 if body["missing"] else 200)
    assert (body["status"], body["version"]) == ("not ready" if body["missing"] else "ready", VERSION)
    assert answer.headers.get("Retry-After") == ("5" if body["missing"] else None)
    return body["missing"]


def test_alive_is_answered_without_the_database(client):
    answer = client.get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_ready_when_all_is_there(client, all_there):
    assert missing(client) == []
    assert client.get("/readyz").headers["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"


def test_a_worker_without_a_sign_of_life_is_named(client, all_there, broker):
    broker.delete(heartbeat.KEY)
    assert missing(client) == ["worker"]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM salesconnect_signoflife",
        "UPDATE salesconnect_signoflife SET at = now() - interval '1 minute'",
        "UPDATE salesconnect_signoflife SET name = 'beat waiting x'",
    ],
)
def test_a_beat_without_a_sign_of_life_is_named(client, all_there, statement):
    other(statement)
    assert missing(client) == ["beat"]


def test_a_sign_of_life_is_forgotten_after_a_minute(broker):
    heartbeat.beat()

    assert broker.ttl(heartbeat.KEY) == 60


def test_a_broker_that_is_away_is_named(client, all_there, settings):
    settings.REDIS_URL = "unix:///nowhere/redis.sock"

    assert missing(client) == ["broker", "worker"]


def test_a_database_that_is_away_is_named(client, all_there, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(DatabaseWrapper, "get_connection_params", lambda _self: NO_SERVER)
        assert missing(client) == ["database"]


def test_a_database_that_takes_no_write_is_named(client, all_there, monkeypatch):
    monkeypatch.setattr(readiness, "_SIGN", "SET TRANSACTION READ ONLY; " + readiness._SIGN)
    assert missing(client) == ["database"]


def test_a_database_whose_disk_is_full_is_named(client, all_there, monkeypatch):
    full = "DO $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$; "
    monkeypatch.setattr(readiness, "_SIGN", full + readiness._SIGN)
    assert missing(client) == ["disk"]


@pytest.mark.parametrize(("number", "name"), [(errno.ENOSPC, "disk"), (errno.EACCES, "files")])
def test_files_that_cannot_be_written_are_named(client, all_there, monkeypatch, number, name):
    def refuse(**_kwargs: object) -> None:
        raise OSError(number, "x")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    assert missing(client) == [name]


def test_a_locked_table_does_not_keep_the_answer(client, all_there):
    wanted = {**connection.get_connection_params(), "cursor_factory": None}
    with closing(psycopg2.connect(**wanted)) as session, session.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = '20s'; LOCK TABLE salesconnect_signoflife")
        assert missing(client) == ["database"]


def test_a_part_that_does_not_answer_is_named(client, all_there, monkeypatch):
    monkeypatch.setattr(readiness, "ANSWER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as deaf, monkeypatch.context() as patch:
        deaf_server = {"host": "127.0.0.1", "port": deaf.getsockname()[1], "dbname": "x"}
        patch.setattr(DatabaseWrapper, "get_connection_params", lambda _self: deaf_server)
        assert missing(client) == ["database"]
    assert readiness._pool("database").submit(lambda: 1).result() == 1


def test_migrations_that_are_missing_are_named(client, all_there, monkeypatch):
    newer = frozenset({*pending_migrations.known_migrations(), ("contacts", "9999_of_tomorrow")})
    monkeypatch.setattr(pending_migrations, "known_migrations", lambda: newer)
    assert missing(client) == ["migrations"]


def test_static_files_that_are_missing_are_named(client, all_there, settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": "salesconnect.static_files.StaticFiles"}}
    assert missing(client) == ["static"]


def test_the_probe_makes_its_table_grow_and_shrink_again(client, all_there, monkeypatch):
    monkeypatch.setattr(readiness, "PROBES_LIMIT", 40_000)
    sizes = []
    for _each in range(12):
        assert missing(client) == []
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_relation_size('salesconnect_writeprobe')")
            sizes.append(cursor.fetchone()[0])
    assert (max(sizes) <= 10 * 8192, min(sizes[3:]) < max(sizes)) == (True, True)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_they_are_only_read(client, path):
    assert client.post(path).status_code == 405


@pytest.mark.parametrize("kind", ["worker", "beat"])
def test_the_command_looks_for_the_process_of_this_machine(db, broker, kind, capsys):
    def code() -> int:
        with pytest.raises(SystemExit) as ended:
            call_command("alive", kind)
        return int(ended.value.code)

    broker.delete(heartbeat.key_of(socket.gethostname()))
    assert code() == 1
    SignOfLife.objects.create(name="beat waiting x", holder=f"{socket.gethostname()}:1:x", at="2026-01-01T00:00Z")
    assert code() == 1
    with connection.cursor() as cursor:
        cursor.execute("UPDATE salesconnect_signoflife SET at = now()")
    heartbeat.beat()
    assert code() == 0
    assert capsys.readouterr().out.count("has sent no heartbeat") == 2
    assert liveness.beats_waiting() == 1
