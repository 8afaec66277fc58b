"""`manage.py seed_contacts N`: add fictitious people, to try the product or to measure it."""

import argparse
import re
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from django.utils import timezone

from compliance.card import card_changes, staging
from compliance.card.creation import create_staged
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from compliance.suppression import suppression
from contacts.models import Contact
from salesconnect.demo import fictitious
from salesconnect.lib.actor import system

CHUNK = 10_000
# One in fifty is unsubscribed; one in ten gets a legal basis later than it was added.
UNSUBSCRIBED, CHANGED = 50, 10


class Command(BaseCommand):
    """Add N people in chunks, each a transaction; the same N and seed in an empty database give the same people."""

    help = "Add N fictitious people. Their addresses end in .example and never meet one that is there."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("number", type=int, metavar="N")
        parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same people (1)")

    def handle(self, *args: Any, number: int, seed: int, **options: Any) -> None:
        if number < 1:
            raise CommandError("N is a whole number from 1.")
        first = next_number()
        people = fictitious.people(number, seed=seed, first=first, today=timezone.localdate())
        done = 0
        while chunk := list(islice(people, CHUNK)):
            add(chunk)
            done += len(chunk)
            self.stderr.write(f"{done:,} of {number:,} people")
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE contacts_contact, compliance_compliancecard")
        self.stdout.write(f"{number} people added, numbered from {first}.")


def next_number() -> int:
    """Return the first number that no fictitious address has yet."""
    newest = Contact.objects.filter(email_key__endswith=".example").order_by("-id").values_list("email_key", flat=True)
    numbers = (re.search(r"\.(\d+)@", key) for key in newest[:CHUNK])
    return 1 + max((int(found[1]) for found in numbers if found), default=0)


@transaction.atomic
def add(chunk: list[staging.NewPerson]) -> None:
    """Add a chunk of people; then change the legal basis of some, and unsubscribe some."""
    actor = system("command")
    staging.stage(chunk)
    create_staged(actor=actor, owner_id=None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT array_agg(contact_id ORDER BY line, contact_id) FROM incoming WHERE NOT taken")
        ids = cursor.fetchone()[0] or []
    later = Authorization(AuthorizationType.LEGITIMATE_INTEREST)
    card_changes.authorise(Contact.objects.filter(pk__in=ids[::CHANGED]), later, actor=actor)
    gone = Contact.objects.filter(pk__in=ids[7::UNSUBSCRIBED])
    suppression.unsubscribe(gone, actor=actor, source="clicked_link")
