"""Statements about many records cost the same for each, also where PostgreSQL takes the table of records for empty."""

import pytest
from django.db import transaction
from django.utils import timezone
from psycopg2.extras import Json

from compliance.card import staging
from compliance.card.creation import create_staged
from compliance.card.staging import NewPerson
from contacts.events import history
from contacts.models import Contact
from salesconnect.lib.actor import system
from tests.plans import rows_handled
from tests.table_sizes import forget
from unsubscribes.crm.models import OutboxEntry, SyncError, SyncRecord
from unsubscribes.crm.people import erasing, record_ids

FEW, MANY = 300, 1_200
MOST = 6
TABLES = ["unsubscribes_syncrecord", "unsubscribes_outboxentry", "unsubscribes_syncerror"]

pytestmark = pytest.mark.django_db(transaction=True)


def records(number: int, **values) -> list[SyncRecord]:
    first = SyncRecord.objects.count()
    return SyncRecord.objects.bulk_create(
        SyncRecord(sf_id=f"003{n:015}", sobject="Contact", **values) for n in range(first, first + number)
    )


def people(number: int, **details: str) -> list[int]:
    first = Contact.objects.count()
    with transaction.atomic():
        staging.stage(NewPerson({"last_name": f"X{n}", **details}) for n in range(first, first + number))
        create_staged(actor=system("command"), owner_id=None)
    return list(Contact.objects.order_by("-pk").values_list("pk", flat=True)[:number])


def of_writing(number: int) -> float:
    names = [(person, "", record.sf_id) for person, record in zip(people(number), records(number), strict=True)]
    record_ids.write(names)
    assert SyncRecord.objects.exclude(named_on=None).count() == number
    values = history.event_values(system("sync"), None)
    wanted = {person: (sf_id, "") for person, _old, sf_id in names}
    return rows_handled(record_ids.WRITE, values | {"ids": list(wanted), "names": Json(wanted)})


def of_naming(number: int) -> float:
    chosen = zip(people(number), records(number), strict=True)
    record_ids.write([(person, "", record.sf_id) for person, record in chosen])
    ids = list(SyncRecord.objects.order_by("-pk").values_list("pk", flat=True)[:number])
    return rows_handled(record_ids.NAMED, {"records": ids})


def of_forgetting(number: int) -> float:
    gone = records(number, deleted=True, erased_at=timezone.now())
    OutboxEntry.objects.bulk_create(OutboxEntry(record=each, desired=True, state="dead") for each in gone)
    SyncError.objects.bulk_create(SyncError(sf_id=each.sf_id, sobject="Contact") for each in gone)
    return rows_handled(erasing.FORGET_RECORDS_OF_PEOPLE, {"records": [each.pk for each in gone]})


def of_forgetting_the_old(number: int) -> float:
    long_ago = timezone.now() - timezone.timedelta(days=1)
    old = records(number, erased_at=long_ago)
    OutboxEntry.objects.bulk_create(OutboxEntry(record=each, desired=True, state="dead") for each in old)
    records(number // 3, deleted=True, owes=True, successor_id=old[0].sf_id)
    return rows_handled(erasing.FORGET_OLD_RECORDS, {"before": timezone.now()})


def of_forgetting_addresses(number: int) -> float:
    records(number, erased_at=timezone.now(), address_hash="00000000-0000-0000-0000-000000000001")
    return rows_handled(erasing.FORGET_ADDRESS.format(which="true"), {})


@pytest.mark.parametrize("cost", [of_writing, of_naming, of_forgetting, of_forgetting_the_old, of_forgetting_addresses])
def test_each_record_costs_the_same_where_the_table_is_taken_for_empty(cost):
    figures = []
    for number in (FEW, MANY):
        records(MANY - number)  # as many in the table, whatever is done with them
        forget(TABLES)
        figures.append(cost(number))
        SyncError.objects.all().delete()
        SyncRecord.objects.all().delete()
    assert figures[1] < MOST * figures[0], figures
