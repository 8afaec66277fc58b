import pytest

from salesconnect.lib.database.sql import fill, statement


def test_a_statement_is_read_from_the_file_beside_its_module(tmp_path):
    (tmp_path / "count.sql").write_text("SELECT count(*) FROM {table} WHERE id = %(id)s AND changes <> '{}'\n")
    found = statement(str(tmp_path / "module.py"), "count", table="contacts_contact")
    assert found == "SELECT count(*) FROM contacts_contact WHERE id = %(id)s AND changes <> '{}'\n"


def test_a_part_that_is_missing_or_unknown_is_an_error():
    with pytest.raises(KeyError, match="rows"):
        fill("SELECT count(*) FROM ({rows}) AS found")
    with pytest.raises(TypeError, match="columns"):
        fill("SELECT 1", columns="id")


def test_what_is_filled_in_is_not_filled_in_itself():
    assert fill("{one} {two}", one="{two}", two="2") == "{two} 2"
