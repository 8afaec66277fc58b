"""`manage.py apply_retention`: the nightly retention run, in the foreground."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from contacts.jobs import batches
from exports.retention import retention
from salesconnect.lib.actor import system
from salesconnect.lib.errors import Conflict


class Command(BaseCommand):
    """Apply the retention rules and wait until the erasures are done."""

    help = "List, warn and erase as the rules of retention say."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would happen and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run = retention.run(actor=system("command"), dry_run=options["dry_run"])
        except Conflict as refusal:
            raise CommandError(refusal.message) from None
        for count in run.rules:
            self.stdout.write(
                f"{count.rule.name}: {count.meets} meet it, {count.listed} new, {count.warned} warned of now,"
                f" {count.due} due."
            )
        for reason, number in sorted(run.left_out.items()):
            self.stdout.write(f"Left out, {reason}: {number}.")
        if run.batch is None:
            self.stdout.write(f"To be erased: {run.due}. Nothing was changed.")
            return
        while batches.run(run.batch.pk):
            pass
        run.batch.refresh_from_db()
        self.stdout.write(f"Erased: {run.batch.changed}. Batch {run.batch.pk} is {run.batch.state}.")
