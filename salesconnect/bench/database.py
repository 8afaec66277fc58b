"""The bench's databases: one of each size, built once and kept, and the copy of it that is measured."""

from functools import cache
from urllib.parse import urlencode

from django.core.management import call_command
from django.db import connection, connections
from psycopg2 import sql

from compliance.card import tallying
from contacts.events import partitions
from contacts.models import User


def use(people: int) -> None:
    """Point this process at a new copy of the database of `people` people, so that every part begins with the same."""
    kept = _built(people)
    _make(f"{kept}_copy", kept)


def url() -> str:
    values = connection.settings_dict
    words = {"user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    query = urlencode({word: values[key] for word, key in words.items() if values[key]})
    return f"postgres:///{values['NAME']}?{query}"


@cache
def _built(people: int) -> str:
    """Return the name of the database that is kept for `people` people; it has the name when it holds them all."""
    name = f"salesconnect_bench_{people}"
    if not _exists(name):
        unfinished = f"{name}_unfinished"
        _make(unfinished, "template1")
        call_command("migrate", verbosity=0, interactive=False)
        call_command("seed_contacts", people)
        _point_at("postgres")
        _run("ALTER DATABASE {} RENAME TO {}", unfinished, name)
    _point_at(name)
    call_command("migrate", verbosity=0, interactive=False)
    partitions.ensure()
    tallying.settle()  # as a worker does every minute
    User.objects.get_or_create(username="bench", defaults={"role": User.Role.ADMINISTRATOR})
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
    return name


def _make(name: str, template: str) -> None:
    _point_at("postgres")
    _run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
    _run("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", name, template)
    _point_at(name)


def _exists(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        return cursor.fetchone() is not None


def _run(statement: str, *names: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _point_at(name: str) -> None:
    connection.close()
    connections["default"].settings_dict["NAME"] = name
