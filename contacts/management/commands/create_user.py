"""`manage.py create_user NAME --role …`: make an account from the command line."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from contacts.accounts import users
from contacts.models import User
from salesconnect.lib.actor import system
from salesconnect.lib.errors import Invalid


class Command(BaseCommand):
    """Make a user; a generated password goes to stdout alone, this once."""

    help = "Make a user. Prints a generated password, once, when none is given."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--role", required=True, choices=User.Role.values)
        parser.add_argument("--password", metavar="P", help="taken as it is; whoever gives it answers for it")
        parser.add_argument("--email", default="", help="where a forgotten password is set anew")

    def handle(self, *args: Any, name: str, role: str, password: str | None, email: str, **options: Any) -> None:
        try:
            made = users.create(name, role, actor=system("command"), email=email, password=password, weak=True)
        except Invalid as refusal:
            raise CommandError(" ".join(text for texts in refusal.fields.values() for text in texts)) from None
        self.stderr.write(f"Made {made.user.username}, {role}.")
        if not password:
            self.stdout.write(made.password)
