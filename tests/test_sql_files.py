"""The database's functions and triggers are those of the apps' `sql` folders: neither changes without the other."""

import os

import pytest
from django.db import connection

from tests import database, definitions

FUNCTION = "CREATE OR REPLACE FUNCTION"


@pytest.fixture
def new_database(django_db_setup, django_db_blocker):
    """Use a database that only the migrations have made: in that of the process a backup may have been restored.

    PostgreSQL writes the condition of a trigger that came out of a dump in another way.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    with django_db_blocker.unblock(), database.copy(f"_definitions{worker}"):
        yield


@pytest.mark.parametrize("file", definitions.files(), ids=lambda file: file.stem)
def test_a_file_defines_one_function_of_its_own_app(file):
    text = file.read_text()
    assert text.count(FUNCTION) == text.count(f"{FUNCTION} {file.stem}(") == 1
    assert file.stem.startswith(f"{file.parent.parent.name}_")


def test_the_migrations_make_what_the_files_say(new_database):
    assert definitions.differences() == []


def test_a_difference_is_named(new_database):
    with connection.cursor() as cursor:
        cursor.execute("CREATE FUNCTION contacts_new() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
        cursor.execute("CREATE TRIGGER new_one AFTER INSERT ON contacts_user EXECUTE FUNCTION contacts_new()")
        cursor.execute("DROP TRIGGER policy_stays ON compliance_policy")
        cursor.execute(
            "CREATE OR REPLACE FUNCTION contacts_scrubbed(changes jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE"
            " AS 'SELECT changes'"
        )
    assert definitions.differences() == [
        "contacts_new",
        "contacts_scrubbed",
        "new_one on contacts_user",
        "policy_stays on compliance_policy",
    ]
