"""`manage.py prepare`: what `up` does first, for installations that start the processes themselves."""

from typing import Any

from django.core.management.base import BaseCommand

from salesconnect.operations import preparation


class Command(BaseCommand):
    """Prepares database, static files and the first administrator. Safe to repeat."""

    help = "Migrate the database, collect the static files, and create the first administrator."

    def handle(self, *args: Any, **options: Any) -> None:
        preparation.prepare(self.stdout.write)
