"""Which migrations of this version the database lacks.

It is read over a connection of its own, because it is asked while a transaction has just failed.
"""

from functools import cache

import psycopg2
from django.db import connection
from django.db.migrations.loader import MigrationLoader

CONNECT_SECONDS = 2


@cache
def known_migrations() -> frozenset[tuple[str, str]]:
    loader = MigrationLoader(None)
    replaced = {key for migration in loader.disk_migrations.values() for key in migration.replaces}
    return frozenset(set(loader.disk_migrations) - replaced)


def pending() -> list[tuple[str, str]]:
    """Return the migrations that are not applied, sorted; empty also when the database does not answer."""
    wanted = {**connection.get_connection_params(), "connect_timeout": CONNECT_SECONDS}
    wanted.pop("cursor_factory", None)
    try:
        other = psycopg2.connect(**wanted)
        try:
            with other.cursor() as cursor:
                cursor.execute("SELECT app, name FROM django_migrations")
                return sorted(known_migrations() - set(cursor.fetchall()))
        finally:
            other.close()
    except psycopg2.errors.UndefinedTable:
        return sorted(known_migrations())
    except psycopg2.Error:
        return []


def pending_message() -> str:
    """Return one line for an operator that says what to do; empty when nothing is pending."""
    if not (found := pending()):
        return ""
    app, name = found[0]
    kind = "migration" if len(found) == 1 else "migrations"
    database = connection.settings_dict["NAME"]
    return f"The database {database} lacks {len(found)} {kind} ({app}.{name} first): run `manage.py prepare`."
