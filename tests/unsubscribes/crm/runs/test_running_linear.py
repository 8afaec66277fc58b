"""What the sync reads in the database grows as the number of people who came with Salesforce ids, not as its square."""

import pytest
from django.db import connection, transaction

from compliance.card import staging
from compliance.card.creation import create_staged
from compliance.card.rules import Source
from compliance.card.source_registry import SourceType
from compliance.card.staging import NewPerson
from compliance.suppression import suppression
from contacts.models import Contact
from tests import table_sizes
from tests.unsubscribes.crm.conftest import ACTOR
from unsubscribes.crm.connection import connecting
from unsubscribes.crm.models import SyncConnection, SyncRecord
from unsubscribes.crm.people import erasing

FEW, MANY = 400, 1_600
# Four times as many people: as their square it would be 16; another plan for another size leaves a line some room.
MOST = 9
EMPTY = "emptied tables"
READ = """
    SELECT (SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_user_tables WHERE relname = ANY(%(tables)s))
         + (SELECT coalesce(sum(idx_tup_read), 0) FROM pg_stat_user_indexes WHERE relname = ANY(%(tables)s))
"""
TABLES = [
    "contacts_contact",
    "compliance_compliancecard",
    "compliance_suppression",
    "unsubscribes_syncrecord",
    "unsubscribes_outboxentry",
]

pytestmark = pytest.mark.django_db(transaction=True)


def work() -> int:
    """Return how many rows were read, and pages looked at: of an index that is read whole, few rows may be taken."""
    pages = table_sizes.blocks_read(TABLES)
    with connection.cursor() as cursor:
        cursor.execute(READ, {"tables": TABLES})
        return int(cursor.fetchone()[0]) + pages


def linked_people(org, number: int) -> list[str]:
    """Return records there of as many people here, who came with their ids as an import leaves them."""
    first = Contact.objects.count()
    addresses = [f"p{first + n}@example.com" for n in range(number)]
    ids = org.create("Contact", *({"LastName": "X", "Email": address} for address in addresses))
    people = zip(addresses, ids, strict=True)
    source = Source(SourceType.OTHER, "x")
    with transaction.atomic():
        staging.stage(
            [
                NewPerson({"last_name": "X", "email": email, "salesforce_id": sf_id}, source=source)
                for email, sf_id in people
            ]
        )
        create_staged(actor=ACTOR, owner_id=None)
    return ids


def clear_up() -> None:
    """Remove the versions of rows that earlier tests left: looking a row up would count them too."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")


def analyse() -> None:
    """Gather the statistics, as PostgreSQL does by itself within a minute after many changes."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def costs(org, sync, number: int, *, analysed_after: str = "") -> dict[str, int]:
    """Return how many rows each step reads, from the dry run to an erasure.

    PostgreSQL's statistics are of a time when there were people and no records, or when nobody was opted out:
    `analysed_after` names the step, or is `EMPTY` where they are of emptied tables before each.
    """
    ids = linked_people(org, number)
    clear_up()
    analyse()
    holders = Contact.objects.filter(salesforce_id__in=ids)
    here = list(holders.order_by("pk").values_list("pk", flat=True))[number // 2 :]
    steps = {
        "dry run": lambda: sync(is_dry=True),
        "activation": lambda: sync(full=True),
        "pull": lambda: (org.opt_out(ids[: number // 2]), sync("pull")),
        "push": lambda: (
            suppression.unsubscribe(Contact.objects.among(here), actor=ACTOR, source="manual"),
            sync("push"),
        ),
        "full read": lambda: sync(full=True),
        "erasure": lambda: erasing.mark(here),
    }
    cost = {}
    for name, step in steps.items():
        if analysed_after == EMPTY:
            table_sizes.forget(TABLES)
        before = work()
        step()
        cost[name] = work() - before
        if name == analysed_after:
            analyse()
    assert len(org.opted_out()) == number
    assert SyncRecord.objects.filter(erased_at__isnull=False).count() == number - number // 2
    return cost


@pytest.mark.parametrize("analysed_after", ["", "activation", EMPTY])
def test_each_step_is_linear_in_the_people_who_came_with_ids(org, connected, sync, analysed_after):
    few = costs(org, sync, FEW, analysed_after=analysed_after)
    start_over(org)
    many = costs(org, sync, MANY, analysed_after=analysed_after)
    assert {name: many[name] / few[name] for name in few if many[name] > MOST * few[name]} == {}, (few, many)


def start_over(org) -> None:
    """Forget both sides but for the people here, who keep nothing of Salesforce's."""
    row = SyncConnection.objects.get()
    connecting.disconnect(actor=ACTOR)
    Contact.objects.update(salesforce_id="")
    org.delete([record["Id"] for record in org.records("SELECT Id FROM Contact")], hard=True)
    connecting.connect(
        {"login_url": row.login_url, "client_id": row.client_id, "secret": org.client_secret}, actor=ACTOR
    )
    SyncConnection.objects.update(state="active")
    analyse()
