"""`manage.py give_up_key`: go on without a key that is lost for good."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from contacts.models import KeyFingerprint
from salesconnect.operations import key_fit, lost_keys
from salesconnect.operations.lost_keys import Loss

Name = KeyFingerprint.Name


class Command(BaseCommand):
    """Reports what is lost with a key; with --yes gives it up.

    Exit code 0 if it was given up, 1 if nothing was changed.
    """

    help = (
        "Goes on without a key that is lost for good and that the database was used with. Without --yes it only says"
        " what is lost. Look for the key first, in backups of keys.json and of the environment: no command brings back"
        " what only that key knows."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", choices=Name.values, help="which of the keys is lost")
        parser.add_argument("--yes", action="store_true", help="give it up")

    def handle(self, *args: Any, **options: Any) -> None:
        name = Name(options["name"])
        variable = key_fit.VARIABLES[name]
        weighed = lost_keys.assess(name)
        if not weighed.fingerprints:
            self._end(f"No key is missing from {variable}, so there is none to give up.")
        self.stdout.write(f"{variable} lacks {', '.join(weighed.fingerprints)}, which this database was used with.")
        self._tell("Kept:", weighed.kept)
        self._tell("Lost, unless the key is found and put behind the newest one:", weighed.lost)
        if not options["yes"]:
            self._end(f"Nothing was changed. To give the key up: manage.py give_up_key {name} --yes")
        lost_keys.give_up(name)
        self.stdout.write("The key was given up, and what was lost is on record.")
        if name == Name.SUPPRESSION:
            self.stdout.write("Where Salesforce is connected: manage.py sync_salesforce --full links its records anew.")

    def _tell(self, heading: str, losses: list[Loss]) -> None:
        if losses:
            self.stdout.write(heading)
        for loss in losses:
            self.stdout.write(f"  {loss.number:,} {loss.meaning}")

    def _end(self, line: str) -> None:
        self.stderr.write(line)
        sys.exit(1)
