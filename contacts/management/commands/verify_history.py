"""`manage.py verify_history`: recompute everything; 0 good, 1 bad."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from contacts.models import Verification
from contacts.sealing import verification
from salesconnect.lib.actor import system

TURN_SECONDS = 10


class Command(BaseCommand):
    """Recompute every leaf, tree and link, and name the first bad event."""

    help = "Verify the whole history and name the first bad event; 0 good, 1 bad."

    def handle(self, *args: Any, **options: Any) -> None:
        row = verification.begin(actor=system("command"))
        while row.good is None:
            verification.work(row.pk, TURN_SECONDS)
            row.refresh_from_db()
            self.stderr.write(f"{row.events:,} events compared, {row.after_seal:,} seals recomputed")
        if row.good:
            self.stdout.write(f"Good: {row.events} events, {row.unsealed} of them not sealed yet.")
            return
        problem = Verification.Problem(row.problem)
        self.stdout.write(f"Bad: event {row.bad_event} ({problem.value}). {problem.label}")
        sys.exit(1)
