"""Sync unsubscribes with Salesforce now, in the foreground."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from salesconnect.lib.actor import system
from salesconnect.lib.errors import Conflict, Invalid
from unsubscribes.crm.connection import connecting, sync_control
from unsubscribes.crm.models import OutboxEntry, SyncConnection, SyncRun
from unsubscribes.crm.outbox import outbox
from unsubscribes.crm.runs import dry_run
from unsubscribes.crm.runs.running import Busy, RunTurn

FAILED, NOT_ACTIVE, BUSY = 1, 2, 3


class Command(BaseCommand):
    """One run, with its summary on stdout. Exits with 0 on success, 1 after errors, 2 if the sync is off or paused by
    hand, 3 if another run did not finish in time.
    """

    help = "Sync unsubscribes with Salesforce now: read what changed, then write what waits."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--pull", action="store_true", help="only read, unless --push is given too")
        parser.add_argument("--push", action="store_true", help="only write, unless --pull is given too")
        parser.add_argument("--full", action="store_true", help="read and link every record")
        parser.add_argument("--dry-run", action="store_true", help="tell what would change, and change nothing")
        parser.add_argument("--activate", action="store_true", help="make a dry run, then let the sync begin")
        parser.add_argument("--yes", action="store_true", help="say yes to what the dry run found, however much it is")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            row = connecting.from_environment(actor=system("command"))
            if row and options["dry_run"]:
                self._dry_run()
            elif row and (not options["activate"] or self._activate(yes=options["yes"])):
                self._sync(**options)
            elif not row:
                self._stop("Salesforce is not connected: set SALESFORCE_LOGIN_URL and the rest.", NOT_ACTIVE)
        except Conflict as problem:
            self._stop(str(problem), NOT_ACTIVE)
        except Invalid as problem:
            self._stop(" ".join(words for texts in problem.fields.values() for words in texts), NOT_ACTIVE)
        except Busy:
            self._stop("Another run is at work; try again later.", BUSY)

    def _dry_run(self) -> SyncRun:
        run = sync_control.request_run(actor=system("command"), is_dry=True, start=False)
        RunTurn(run, manual=True).go()
        run.refresh_from_db()
        if run.state != SyncRun.State.DONE:
            self._stop(f"The dry run failed: {run.message}", FAILED)
        self.stdout.write(
            "Dry run: " + ", ".join(f"{name} {run.findings[name]}" for name in (*dry_run.FINDING_KINDS, "people"))
        )
        return run

    def _activate(self, *, yes: bool) -> bool:
        if SyncConnection.objects.exclude(state=SyncConnection.State.OFF).exists():
            return True
        run = self._dry_run()
        if dry_run.needs_confirmation(run.findings) and not yes:
            self._stop("So much would change that it takes --yes.", NOT_ACTIVE)
        connecting.activate(actor=system("command"), confirmed=yes)
        return True

    def _sync(self, **options: Any) -> None:
        pull, push = options["pull"] or options["full"], options["push"]
        direction = "both" if pull == push or options["full"] else "pull" if pull else "push"
        state = SyncConnection.objects.get().state
        if state == SyncConnection.State.PAUSED:
            self._stop("The sync is paused by hand; resume it first.", NOT_ACTIVE)
        run = sync_control.request_run(actor=system("command"), direction=direction, full=options["full"], start=False)
        RunTurn(run, manual=True).go()
        run.refresh_from_db()
        waiting = OutboxEntry.objects.filter(state__in=outbox.WAITING).count()
        self.stdout.write(
            f"{run.state}: {run.read} read, {run.changed} changed, {run.written} written, {run.errors} errors,"
            f" {run.calls} calls, {waiting} waiting"
        )
        if run.state != SyncRun.State.DONE or run.errors:
            self._stop(run.message or "Some records could not be written; see the Sync page.", FAILED)

    def _stop(self, words: str, code: int) -> None:
        self.stderr.write(words)
        sys.exit(code)
