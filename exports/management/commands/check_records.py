"""`manage.py check_records [--mend]`: do the stored records agree with each other?"""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from exports.integrity import check_run
from salesconnect.lib.actor import system


class Command(BaseCommand):
    """Print each kind of difference with its count and a first example."""

    help = "Compare the stored records with each other; exit code 0 when nothing differs, 1 when something is left."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--mend", action="store_true", help="put right what has one right answer, as events")

    def handle(self, *args: Any, **options: Any) -> None:
        differences = check_run.run(actor=system("command"), mend=options["mend"])
        for each in differences:
            line = f"{each.check.name}: {each.check.in_words()}: {each.found.count}, first: {each.found.example}"
            self.stdout.write(f"{line}, put right: {each.mended}, left: {each.left}" if options["mend"] else line)
        if not differences:
            self.stdout.write("The records agree: no differences.")
        if any(each.left for each in differences):
            sys.exit(1)
