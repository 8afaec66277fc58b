"""What a comparison of the records costs grows as the number of people, not as its square."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from compliance.card import staging
from compliance.card.creation import create_staged
from compliance.card.staging import NewPerson
from compliance.models import ComplianceCard
from compliance.suppression import suppression
from contacts.models import Contact
from exports.integrity import cards, check, check_run, folding
from salesconnect.lib.actor import system
from tests.plans import rows_handled

COMMAND = system("command")
FEW, MANY = 100, 400
MOST = 6

pytestmark = pytest.mark.django_db


def take_in(*addresses: str) -> None:
    staging.stage(NewPerson({"last_name": "X", "email": address}) for address in addresses)
    create_staged(actor=COMMAND, owner_id=None)


def test_one_mailbox_with_many_addresses_is_not_compared_with_itself():
    cost = []
    for number in (FEW, MANY):
        # Each size by itself: in a table of a few pages, which is read whole, the other box would come first each time.
        with transaction.atomic():
            take_in(*(f"box+{n}@example.com" for n in range(number)))
            said_no = [f"box+no{n}@example.com" for n in range(number)]
            suppression.opt_out_addresses(said_no, actor=COMMAND, source="import")
            cost.append(rows_handled(cards.WRONG_LOOKS, {}))
            transaction.set_rollback(True)
    assert cost[1] < MOST * cost[0], cost


def test_a_window_of_people_reads_no_events_of_others():
    take_in(*(f"p{n}@example.com" for n in range(MANY)))
    first = Contact.objects.order_by("pk").values_list("pk", flat=True)[0]
    query, values = folding.folded(folding.OF_WINDOW)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off")
    cost = rows_handled(query, values | {"after": first - 1, "edge": first + 9})
    assert cost < MANY


def test_what_differs_is_searched_for_once_however_much_it_is(monkeypatch):
    monkeypatch.setattr(check, "CHUNK", 10)
    take_in(*(f"p{n}@example.com" for n in range(FEW)))
    ComplianceCard.objects.update(sort_last="wrong")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert cards.MENDS["sort_names"](COMMAND) == FEW
    searches = [each["sql"] for each in queries if "contact.sort_last" in each["sql"] and "ANY" not in each["sql"]]
    assert len(searches) == 1
    assert check_run.run(actor=COMMAND, leave_out=("stray_files", "missing_files")) == []
