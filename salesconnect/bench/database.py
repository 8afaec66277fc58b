"""The bench's own databases, one for each number of people, kept for the next run with the same number."""

from urllib.parse import urlencode

from django.core.management import call_command
from django.db import connection, connections

from compliance import tallying
from contacts import partitions
from contacts.models import Contact, User


def use(people: int) -> None:
    """Point this process at the database for `people` people and fill it unless it holds them already."""
    name = f"salesconnect_bench_{people}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if cursor.fetchone() is None:
            cursor.execute(f"CREATE DATABASE {name}")
    connection.close()
    connections["default"].settings_dict["NAME"] = name
    call_command("migrate", verbosity=0, interactive=False)
    if abs(Contact.objects.count() - people) > people // 100:
        _empty()
        call_command("seed_contacts", people)
    partitions.ensure()
    tallying.settle()  # as a worker does every minute
    User.objects.get_or_create(username="bench", defaults={"role": User.Role.ADMINISTRATOR})
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")


def url() -> str:
    """Return the database in use as a DATABASE_URL for processes of their own."""
    values = connection.settings_dict
    words = {"user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    query = urlencode({word: values[key] for word, key in words.items() if values[key]})
    return f"postgres:///{values['NAME']}?{query}"


def _empty() -> None:
    """Empty the tables of people; the history's triggers step aside for the bench's own database alone."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "TRUNCATE contacts_contact, contacts_contactevent, contacts_batch, compliance_suppression,"
            " compliance_cardtally RESTART IDENTITY CASCADE"
        )
        cursor.execute("SET session_replication_role = origin")
