"""What the person at the terminal can put right is one line and exit code 2, never a traceback."""

import errno
import subprocess
import sys
from contextlib import closing

import psycopg2
import pytest
from django.db import OperationalError, connection

from salesconnect.lib.database import failures
from tests.products.product import ROOT, environment

KEY = "3fa85f64c57b4e0c9a2d7e1b6c8d9f0a1b2c3d4e5f60718293a4b5c6d7e8f901"
KEYS = dict.fromkeys(("SECRET_KEY", "SALESCONNECT_UNSUBSCRIBE_KEY", "SALESCONNECT_SUPPRESSION_KEY"), KEY)
ROLE = "tests_without_rights"


@pytest.fixture
def without_rights(db):
    """Return the address of a database in which the role may make nothing."""
    wanted = {**connection.get_connection_params(), "cursor_factory": None}
    with closing(psycopg2.connect(**wanted)) as session:
        session.autocommit = True
        with session.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {ROLE}")
            cursor.execute(f"DROP ROLE IF EXISTS {ROLE}")
            cursor.execute(f"CREATE ROLE {ROLE} LOGIN")
            cursor.execute(f"CREATE DATABASE {ROLE}")
            yield f"postgresql://{ROLE}@/{ROLE}?host={wanted['host']}"
            cursor.execute(f"DROP DATABASE {ROLE} WITH (FORCE)")
            cursor.execute(f"DROP ROLE {ROLE}")


def test_a_role_that_may_make_no_tables_is_told_in_one_line(without_rights, tmp_path):
    surroundings = environment(
        tmp_path / "data", 0, DATABASE_URL=without_rights, REDIS_URL="redis://127.0.0.1:1", **KEYS
    )
    command = [sys.executable, str(ROOT / "manage.py"), "prepare"]
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "permission denied for schema public" in done.stderr


@pytest.mark.parametrize(
    "problem", [OSError(errno.ENOSPC, "No space left on device"), OperationalError("x: No space left on device")]
)
def test_a_full_disk_is_told_in_one_line(problem):
    assert failures.command_message(problem).startswith("The disk is full: ")


@pytest.mark.parametrize("problem", [OSError(errno.ENOENT, "x"), ValueError("x")])
def test_a_fault_keeps_its_traceback(problem):
    assert failures.command_message(problem) is None
