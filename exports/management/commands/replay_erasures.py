"""`manage.py replay_erasures`: to be run after an older backup was restored."""

from typing import Any

from django.core.management.base import BaseCommand

from exports.erasure import ledger_replay
from salesconnect.lib.actor import system


class Command(BaseCommand):
    """Repeat the erasures and opt-outs that came after the restored backup was made."""

    help = "After restoring an older backup: erase again whom it brought back, and suppress again who said no since."

    def handle(self, *args: Any, **options: Any) -> None:
        done = ledger_replay.replay(actor=system("command"))
        self.stdout.write(f"People erased again: {done.erased}. Addresses unsubscribed again: {done.suppressed}.")
