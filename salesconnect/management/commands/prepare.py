"""What `up` does before the site opens, for installations that start their processes themselves."""

from typing import Any

from django.core.management.base import BaseCommand

from salesconnect.operations import preparation


class Command(BaseCommand):
    """Prepares database, static files and the first administrator; doing it again changes nothing."""

    help = "Brings the database and the static files up to date and makes the first administrator."

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare."""
        preparation.prepare(self.stdout.write)
