"""To take people in costs the same for each, whatever PostgreSQL's statistics say of the tables."""

import pytest
from django.db import connection, transaction

from compliance.card import staging
from compliance.card.creation import create_staged
from compliance.card.rules import Source
from compliance.card.source_registry import SourceType
from compliance.card.staging import NewPerson
from compliance.imports import statements
from compliance.models import ComplianceCard, Suppression
from contacts.models import Contact
from contacts.people.addresses import address_hashes, newest_key
from contacts.people.skeletons import skeleton_hashes
from salesconnect.lib.actor import system
from salesconnect.lib.database import table_sizes
from tests.table_sizes import blocks_read, forget

FEW, MANY = 400, 1_600
# Trees of four times as many rows are a page higher here and there; four times as many would be read by a square.
MORE = 1.5
TABLES = ["contacts_contact", "compliance_compliancecard", "compliance_suppression"]

pytestmark = pytest.mark.django_db(transaction=True)


def take_in(number: int, *, as_import: bool) -> float:
    """Take so many new people in, in one transaction; return how many pages were looked at for each."""
    first = Contact.objects.count()
    source = Source(SourceType.OTHER, "x")
    before = blocks_read(TABLES)
    with transaction.atomic():
        if as_import:
            with connection.cursor() as cursor:
                cursor.execute(statements.PLAN)
        staging.stage(
            NewPerson({"last_name": f"X{n}", "company": f"C{n}", "email": f"p{n}@example.com"}, source=source)
            for n in range(first, first + number)
        )
        assert create_staged(actor=system("command"), owner_id=None).created == number
    return (blocks_read(TABLES) - before) / number


def say_no(addresses: list[str]) -> None:
    Suppression.objects.bulk_create(
        Suppression(
            address_hash=address_hashes(address)[0],
            hash_key=newest_key(),
            source="manual",
            skeleton_hash=skeleton_hashes(address)[0],
        )
        for address in addresses
    )


@pytest.mark.parametrize("as_import", [False, True])
def test_people_cost_the_same_each_where_the_tables_are_taken_for_empty(as_import):
    say_no([f"q{n}@example.com" for n in range(FEW)])
    cost = []
    for number in (FEW, MANY):
        forget(TABLES)
        cost.append(take_in(number, as_import=as_import))
    assert cost[1] < MORE * cost[0], cost


def test_those_who_look_like_somebody_who_said_no_cost_the_same_each_too():
    say_no([f"p{n}+x@example.com" for n in range(FEW + MANY)])
    cost = []
    for number in (FEW, MANY):
        forget(TABLES)
        cost.append(take_in(number, as_import=True))
    assert cost[1] < MORE * cost[0], cost
    assert ComplianceCard.objects.filter(looks_opted_out=True).count() == FEW + MANY


def test_a_connection_keeps_no_plan_from_the_time_when_the_tables_were_small():
    say_no(["q@example.com"])
    for _each in range(6):
        take_in(1, as_import=False)
    say_no([f"q{n}@example.com" for n in range(2 * MANY)])
    take_in(2 * MANY, as_import=False)
    assert take_in(1, as_import=False) < take_in(table_sizes.MANY - 1, as_import=False) * 3


def known_rows(table: str = "contacts_contact") -> float:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", [table])
        return float(cursor.fetchone()[0])


def test_a_table_that_is_taken_for_empty_is_counted_with_the_rows_of_the_transaction():
    take_in(MANY, as_import=False)
    forget(TABLES)
    with transaction.atomic():
        take_in_here = Contact.objects.count()
        table_sizes.analyze_if_unknown(*TABLES)
        assert known_rows() == take_in_here


def test_a_table_of_a_few_pages_is_left_alone():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE few AS SELECT generate_series(1, 10) AS id")
    forget(["few"])
    table_sizes.analyze_if_unknown("few")
    assert known_rows("few") == 0
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE few")


def test_a_table_of_which_a_thousand_rows_are_known_is_left_alone():
    take_in(MANY, as_import=False)
    known = known_rows()
    take_in(MANY, as_import=False)
    assert known_rows() == known >= MANY
