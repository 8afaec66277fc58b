"""The database's functions and triggers are those of the apps' `sql` folders: neither changes without the other."""

import pytest
from django.db import connection

from tests import definitions

FUNCTION = "CREATE OR REPLACE FUNCTION"


@pytest.mark.parametrize("file", definitions.files(), ids=lambda file: file.stem)
def test_a_file_defines_one_function_of_its_own_app(file):
    text = file.read_text()
    assert text.count(FUNCTION) == text.count(f"{FUNCTION} {file.stem}(") == 1
    assert file.stem.startswith(f"{file.parent.parent.name}_")


@pytest.mark.django_db
def test_the_migrations_make_what_the_files_say():
    assert definitions.differences() == []


@pytest.mark.django_db
def test_a_difference_is_named():
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
