#!/usr/bin/env python
"""The command line of the product: Django's commands and ours, beside running servers or with embedded ones."""

import os
import signal
import sys
from contextlib import AbstractContextManager, nullcontext

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line, get_commands
from django.db import Error

from salesconnect import embedded
from salesconnect.lib.database import failures, pending_migrations

# These need no database; `up` starts the servers itself.
WITHOUT_SERVERS = {
    "",
    "alive",
    "collectstatic",
    "gather_static",
    "compilemessages",
    "diffsettings",
    "findstatic",
    "help",
    "makemessages",
    "spectacular",
    "up",
    "version",
}
# Commands of Django that read or write what our keys made.
WITH_DATA = {"migrate", "runserver", "shell", "sqlmigrate"}
# Ours that make the tables, or a database of their own.
MAKING_TABLES = {"bench", "prepare"}
# It says which keys do not fit, and compares them in the end.
WITHOUT_KEYS = {"give_up_key"}
HELP = {"-h", "--help", "--version"}


def servers(arguments: list[str]) -> AbstractContextManager[object]:
    """Return what keeps the servers running that a command needs and the environment does not name."""
    try:
        embedded_ones = {"postgres": settings.EMBEDDED_DATABASE, "redis": settings.EMBEDDED_REDIS}
    except ValueError as error:
        raise ImproperlyConfigured(f"A value of the environment cannot be read: {error}.") from error
    if not needs_data(arguments) or not any(embedded_ones.values()):
        return nullcontext()
    return embedded.hold(settings.DATA_DIR, **embedded_ones)


def needs_data(arguments: list[str]) -> bool:
    """Tell whether a command works with database and broker."""
    command = arguments[0] if arguments else ""
    checks_files = command == "check" and "--database" not in arguments
    return not (command in WITHOUT_SERVERS or checks_files or HELP & set(arguments))


def make_ready(command: str) -> None:
    """See that keys and database fit before a command that uses them.

    Also make the tables of a new embedded database for our own commands: one may be the first thing that is run.
    """
    django.setup()
    own = not get_commands().get(command, "django.core").startswith("django.")
    from salesconnect.operations import key_fit, preparation  # noqa: PLC0415 (they need the apps)

    if own and settings.EMBEDDED_DATABASE:
        preparation.make_tables()
    if own and command not in MAKING_TABLES and (line := pending_migrations.pending_message()):
        raise ImproperlyConfigured(line)
    if (own and command not in WITHOUT_KEYS) or command in WITH_DATA:
        key_fit.check()


def main() -> None:
    """Run a command; what the person at the terminal can put right is one line and exit code 2."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "salesconnect.settings")
    arguments = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        with servers(arguments):
            if needs_data(arguments):
                make_ready(arguments[0])
            execute_from_command_line(sys.argv)
    except (embedded.EmbeddedError, ImproperlyConfigured) as error:
        _end(failures.in_one_line(error))
    except (Error, OSError) as error:
        if line := failures.command_message(error):
            _end(line)
        raise


def _end(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.exit(2)


if __name__ == "__main__":
    main()
