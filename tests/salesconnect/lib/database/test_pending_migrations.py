"""A database of an earlier version is told in one line at the terminal, and in words on pages and in the API."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import get_commands
from django.db import ProgrammingError, connection, transaction
from rest_framework.test import APIClient

import manage
from contacts.accounts import tokens
from salesconnect.lib.database import failures, pending_migrations
from salesconnect.pages.people import people
from tests.products.product import ROOT, environment
from tests.test_one_line_errors import KEYS

EMPTY = "tests_without_tables"
TOMORROW = ("contacts", "9999_of_tomorrow")
OURS = sorted(
    name
    for name, app in get_commands().items()
    if app in {"salesconnect", "contacts", "compliance", "unsubscribes", "exports"}
    and name not in manage.WITHOUT_SERVERS | manage.MAKING_TABLES
)


@pytest.fixture
def older(monkeypatch):
    """Let this version have a migration that the database has not."""
    newer = frozenset({*pending_migrations.known_migrations(), TOMORROW})
    monkeypatch.setattr(pending_migrations, "known_migrations", lambda: newer)


@pytest.fixture
def empty(db) -> Iterator[str]:
    """Return the address of a database without tables."""
    wanted = {**connection.get_connection_params(), "cursor_factory": None}
    with closing(psycopg2.connect(**wanted)) as session:
        session.autocommit = True
        with session.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {EMPTY}")
            cursor.execute(f"CREATE DATABASE {EMPTY}")
            yield f"postgresql://{wanted['user']}@/{EMPTY}?host={wanted['host']}"
            cursor.execute(f"DROP DATABASE {EMPTY} WITH (FORCE)")


def test_a_database_with_all_migrations_lacks_none(db):
    assert (pending_migrations.pending(), pending_migrations.pending_message()) == ([], "")


@pytest.mark.parametrize("command", OURS)
def test_each_of_our_commands_says_what_the_database_lacks(db, older, command):
    with pytest.raises(ImproperlyConfigured) as refusal:
        manage.make_ready(command)
    name = connection.settings_dict["NAME"]
    assert str(refusal.value) == (
        f"The database {name} lacks 1 migration (contacts.9999_of_tomorrow first): run `manage.py prepare`."
    )


def test_at_the_terminal_it_is_one_line_and_exit_code_2(empty, tmp_path):
    surroundings = environment(tmp_path, 0, DATABASE_URL=empty, REDIS_URL="redis://127.0.0.1:1", **KEYS)
    command = [sys.executable, str(ROOT / "manage.py"), "verify_history"]
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert done.stderr.startswith(f"The database {EMPTY} lacks ")
    assert done.stderr.endswith("run `manage.py prepare`.\n")


@pytest.fixture
def broken(monkeypatch):
    """Let the list of people meet a table that is not there."""

    def ask(*_args: object) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")

    monkeypatch.setattr(people, "page_actor", ask)
    monkeypatch.setattr("contacts.models.Contact.objects.visible_to", ask)


def test_a_page_and_the_api_say_it_in_words(signed_in, bob, broken, older):
    signed_in.raise_request_exception = False
    program = APIClient(raise_request_exception=False)
    program.credentials(HTTP_AUTHORIZATION=f"Token {tokens.make(bob, 'tests')}")
    for answer in (signed_in.get("/people/"), program.get("/api/v1/contacts/")):
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
        assert "The database lacks migrations of this version" in answer.content.decode()


def test_a_statement_that_is_wrong_stays_a_fault(db):
    with pytest.raises(ProgrammingError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT nothing FROM nowhere")
    assert failures.classify(caught.value) is None


def test_a_statement_that_meets_an_older_database_is_told_in_one_line(db, older):
    with pytest.raises(ProgrammingError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT nothing FROM nowhere")
    assert failures.command_message(caught.value) == pending_migrations.pending_message()
