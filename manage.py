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
from django.db import OperationalError

from salesconnect import embedded

# These need no database; `up` starts the servers itself.
WITHOUT_SERVERS = {
    "",
    "collectstatic",
    "compilemessages",
    "diffsettings",
    "findstatic",
    "help",
    "makemessages",
    "spectacular",
    "up",
    "version",
}
HELP = {"-h", "--help", "--version"}


def servers(arguments: list[str]) -> AbstractContextManager[object]:
    """Return what keeps the servers running that a command needs and the environment does not name."""
    command = arguments[0] if arguments else ""
    try:
        embedded_ones = {"postgres": settings.EMBEDDED_DATABASE, "redis": settings.EMBEDDED_REDIS}
    except ValueError as error:
        raise ImproperlyConfigured(f"A value of the environment cannot be read: {error}.") from error
    checks_files = command == "check" and "--database" not in arguments
    if command in WITHOUT_SERVERS or checks_files or HELP & set(arguments) or not any(embedded_ones.values()):
        return nullcontext()
    return embedded.hold(settings.DATA_DIR, **embedded_ones)


def make_tables(command: str) -> None:
    """Make the tables of a new embedded database for our own commands: one may be the first thing that is run."""
    django.setup()
    if settings.EMBEDDED_DATABASE and not get_commands().get(command, "django.core").startswith("django."):
        from salesconnect import preparation  # noqa: PLC0415 (it needs the apps, which are set up above)

        preparation.make_tables()


def main() -> None:
    """Run a command; what the person at the terminal can put right is one line and exit code 2."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "salesconnect.settings")
    arguments = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        with servers(arguments) as held:
            if held is not None:
                make_tables(arguments[0])
            execute_from_command_line(sys.argv)
    except (embedded.EmbeddedError, ImproperlyConfigured, OperationalError) as error:
        sys.stderr.write(" ".join(str(error).split()) + "\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
