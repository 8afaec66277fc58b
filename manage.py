#!/usr/bin/env python
"""The command line of the product: Django's commands and ours, beside running servers or with embedded ones."""

import os
import signal
import sys
from contextlib import AbstractContextManager, nullcontext

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
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


def main() -> None:
    """Run a command; what the person at the terminal can put right is one line and exit code 2."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "salesconnect.settings")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        with servers(sys.argv[1:]):
            execute_from_command_line(sys.argv)
    except (embedded.EmbeddedError, ImproperlyConfigured, OperationalError) as error:
        sys.stderr.write(" ".join(str(error).split()) + "\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
