"""Gathers the static files, as the building of an image does; no server is needed."""

from typing import Any

from django.core.management.base import BaseCommand

from salesconnect.operations import preparation


class Command(BaseCommand):
    """Gathers the static files under names that change with their content, unless that is done."""

    help = "Gathers the static files under hashed names, unless that was done for exactly these files."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Gather."""
        preparation.collect_static()
