"""Who is erased here: the "no" still reaches Salesforce, nobody is brought in again, and a task is left."""

import pytest
from django.db import connection

from contacts.models import Contact
from exports.erasure import erasure
from salesconnect.lib.errors import Forbidden, Missing
from tests.unsubscribes.crm.conftest import box
from unsubscribes.crm.people import erasing
from unsubscribes.models import SyncConnection, SyncRecord


def test_the_no_of_somebody_who_is_gone_is_still_written(org, sync, person, unsubscribe, member):
    (sf_id,) = org.create("Contact", {"Email": "anna@example.com", "LastName": "Berg"})
    anna = person(email="anna@example.com")
    sync(full=True)
    unsubscribe(anna)
    erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
    sync()
    assert box(org, sf_id)


def test_a_record_known_by_its_id_alone_hears_the_no_too(org, sync, person, unsubscribe, member):
    (sf_id,) = org.create("Contact", {"Email": "", "LastName": "Berg"})
    anna = person(email="anna@example.com", salesforce_id=sf_id)
    unsubscribe(anna)
    erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
    sync("push")
    assert box(org, sf_id)


def test_somebody_who_was_erased_is_not_brought_in_again(org, sync, person, member):
    SyncConnection.objects.update(create_people=True)
    (sf_id,) = org.create("Contact", {"Email": "anna@example.com", "LastName": "Berg"})
    anna = person(email="anna@example.com")
    sync(full=True)
    erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
    org.edit(sf_id, {"LastName": "Lind"})
    sync()
    sync(full=True)
    assert not Contact.objects.exists()


def test_nor_by_the_record_into_which_theirs_was_merged(org, sync, person, member):
    """That record was hidden until then; the data of whoever was erased lives on in it, and it is the task now."""
    SyncConnection.objects.update(create_people=True)
    anna = {"Email": "anna@example.com", "LastName": "Berg"}
    known, hidden = org.create("Contact", anna, anna | {"Email": "berg@example.com"})
    org.hide([hidden])
    sync(full=True)
    erasure.delete(Contact.objects.all(), actor=member)
    org.hide([hidden], False)
    org.merge(hidden, known)
    sync()
    sync(full=True)
    assert not Contact.objects.exists()
    assert [record.sf_id for record in erasing.waiting()] == [hidden]


def test_somebody_who_is_here_is_not_erased_by_a_merge_in_salesforce(org, sync, person, member):
    anna, berg = person(email="anna@example.com"), person(email="berg@example.com")
    winner, loser = org.create(
        "Contact", {"Email": berg.email, "LastName": "Berg"}, {"Email": anna.email, "LastName": "Berg"}
    )
    sync()
    erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
    org.merge(winner, loser)
    sync()
    record = SyncRecord.objects.get(sf_id=winner)
    assert (record.contact_id, record.erased_at) == (berg.pk, None)


def test_a_task_is_left_until_somebody_has_seen_to_it(db, person, member, auditor):
    anna = person(email="anna@example.com", salesforce_id="003000000000001AAA")
    erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
    (record,) = erasing.waiting()
    with pytest.raises(Forbidden):
        erasing.settle(record.pk, actor=auditor)
    assert erasing.settle(record.pk, actor=member).erased_there_by == "bob"
    assert (list(erasing.waiting()), list(erasing.tasks())) == ([], [record])
    with pytest.raises(Missing):
        erasing.settle(record.pk + 1, actor=member)


def test_a_task_ends_when_the_record_is_gone_there(db, person, member):
    anna = person(email="anna@example.com", salesforce_id="003000000000001AAA")
    erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
    SyncRecord.objects.update(deleted=True)
    assert not erasing.waiting().exists()


def test_a_record_that_is_gone_goes_with_all_that_was_wished_for_it(org, sync, person, unsubscribe, member):
    (sf_id,) = org.create("Contact", {"Email": "anna@example.com", "LastName": "Berg"})
    anna = person(email="anna@example.com")
    sync()
    unsubscribe(anna)
    sync()
    org.delete(sf_id)
    sync()
    erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
    connection.check_constraints()
    assert not SyncRecord.objects.exists()


def test_what_a_merged_record_owes_outlives_the_erasure_of_its_person(org, sync, person, member):
    anna, heir = person(email="anna@example.com"), person(email="heir@example.com", last_name="Heir")
    (loser, winner) = org.create(
        "Contact", {"Email": "anna@example.com", "LastName": "Berg"}, {"Email": "heir@example.com", "LastName": "Heir"}
    )
    sync()
    org.opt_out(loser)
    org.merge(winner, loser)
    sync("pull")
    SyncRecord.objects.filter(sf_id=loser).update(owes=True)
    erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
    assert SyncRecord.objects.filter(sf_id=loser).exists()
    sync("pull")
    heir.card.refresh_from_db()
    assert heir.card.unsubscribed


def test_an_opt_out_reaches_the_address_of_a_record_whose_person_was_erased(org, sync, person, member):
    (loser, winner) = org.create(
        "Contact", {"Email": "anna@example.com", "LastName": "Berg"}, {"Email": "heir@example.com", "LastName": "Heir"}
    )
    heir = person(email="heir@example.com", last_name="Heir")
    sync()
    erasure.delete(Contact.objects.filter(pk=heir.pk), actor=member)
    org.opt_out(loser)
    org.merge(winner, loser)
    sync()
    assert person(email="heir@example.com", last_name="Heir").card.unsubscribed
