"""`manage.py seal_history`: seal what is open, now."""

from typing import Any

from django.core.management.base import BaseCommand
from django.template.defaultfilters import pluralize

from contacts.sealing import published, sealing


class Command(BaseCommand):
    """Close the events that are not sealed yet into seals, and write the roots to the file."""

    help = "Seal the events that are not sealed yet."

    def handle(self, *args: Any, **options: Any) -> None:
        sealed = sealing.seal_open()
        published.append()
        events, seals = pluralize(sealed.events), pluralize(sealed.seals)
        self.stdout.write(f"{sealed.events} event{events} sealed in {sealed.seals} seal{seals}.")
