"""`manage.py gather_static`: collects the static files, for building an image; needs no servers."""

from typing import Any

from django.core.management.base import BaseCommand

from salesconnect.operations import preparation


class Command(BaseCommand):
    """Collects the static files under names that contain a hash of their content."""

    help = "Collect the static files under hashed names, unless that was done for exactly these files."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        preparation.collect_static()
