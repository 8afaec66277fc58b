"""The functions and triggers that the database holds, and those that the files in the apps' `sql` folders define."""

from pathlib import Path

from django.db import connection, transaction

ROOT = Path(__file__).resolve().parent.parent
FUNCTIONS = """
    SELECT proname, pg_get_functiondef(proc.oid) FROM pg_proc proc
    WHERE pronamespace = 'public'::regnamespace
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = proc.oid AND deptype = 'e')
"""
# Those of a partition come from its table, or from the function that makes it.
TRIGGERS = """
    SELECT tgname, relname, pg_get_triggerdef(pg_trigger.oid) FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
    WHERE NOT tgisinternal AND NOT relispartition
"""


def files() -> list[Path]:
    """Return the files, each of which is named after the function that it defines."""
    return sorted(ROOT.glob("*/sql/*.sql"))


def stored() -> dict[str, str]:
    """Return what the database holds: the text of each function, and of each trigger by `trigger on table`."""
    with connection.cursor() as cursor:
        cursor.execute(FUNCTIONS)
        functions = dict(cursor.fetchall())
        cursor.execute(TRIGGERS)
        return functions | {f"{name} on {table}": text for name, table, text in cursor.fetchall()}


def written() -> dict[str, str]:
    """Return what the database would hold if it were made from the files."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(TRIGGERS)
        for name, table, _text in cursor.fetchall():
            cursor.execute(f'DROP TRIGGER "{name}" ON "{table}"')
        for file in files():
            cursor.execute(file.read_text())
        found = stored()
        transaction.set_rollback(True)
    return found


def differences() -> list[str]:
    """Return the names of functions and triggers that differ between the database and the files, or are in one only."""
    in_database, in_files = stored(), written()
    without_file = in_database.keys() - {file.stem for file in files()} - {name for name in in_files if " on " in name}
    differing = {name for name in in_database | in_files if in_database.get(name) != in_files.get(name)}
    return sorted(differing | without_file)
