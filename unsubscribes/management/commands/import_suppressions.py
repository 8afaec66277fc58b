"""Import a list of addresses that must not be mailed."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from salesconnect.lib.actor import system
from salesconnect.lib.csv import FileRefused
from unsubscribes.opt_outs import address_list

SHOWN_REJECTS = 10


class Command(BaseCommand):
    """Suppress every address of a file. Progress on stderr, summary on stdout; exits with 1 if no address was found."""

    help = (
        "Suppress every address found in a list or a CSV, however it is wrapped. It can only opt out, any time again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            with path.open("rb") as file:
                taken = address_list.take(file, path.name, actor=system("command"), progress=self._show)
        except (OSError, FileRefused) as problem:
            self.stderr.write(f"{path} cannot be read: {getattr(problem, 'strerror', None) or problem}")
            sys.exit(1)
        self.stdout.write(f"{taken.new} new, {taken.already} already suppressed, {taken.invalid} invalid")
        for number, reason in taken.rejects[:SHOWN_REJECTS]:
            self.stderr.write(f"line {number}: {reason}")
        if not taken.new + taken.already:
            sys.exit(1)

    def _show(self, lines: int) -> None:
        self.stderr.write(f"{lines} lines")
