"""`manage.py create_token NAME`: a key to the API from the command line."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from contacts.accounts import tokens
from contacts.models import User


class Command(BaseCommand):
    """Make a token of a user; it goes to stdout alone."""

    help = "Make an API token of the user NAME and print it alone on stdout."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME")

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        user = User.objects.filter(username=name, is_active=True).first()
        if user is None:
            raise CommandError(f"There is no user {name} whose account is open.")
        self.stdout.write(tokens.make(user, "create_token"))
