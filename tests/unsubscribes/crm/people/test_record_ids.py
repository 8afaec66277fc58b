"""The Salesforce ID of a linked person stands on the person, and what came in by hand or by a file wins."""

import datetime as dt

import pytest
from django.utils import timezone

from contacts.models import Contact, ContactEvent
from tests.unsubscribes.crm.conftest import ACTOR
from unsubscribes.crm.connection import connecting
from unsubscribes.crm.models import SyncConnection, SyncRecord

ANNA = {"FirstName": "Anna", "LastName": "Berg", "Email": "anna@example.com"}
LEAD = ANNA | {"Company": "Exempel"}


@pytest.fixture
def anna(person) -> Contact:
    """Return a person without a Salesforce ID."""
    return person(email="anna@example.com")


def sf_id(person: Contact) -> str:
    return Contact.objects.get(pk=person.pk).salesforce_id


def told(person: Contact) -> list[list[str]]:
    """Return what the history says of the ID, oldest first."""
    events = ContactEvent.objects.filter(contact_id=person.pk, action="edited").order_by("id")
    return [event.changes["salesforce_id"] for event in events if "salesforce_id" in event.changes]


def test_a_linked_person_has_the_id_with_an_event_and_a_new_version(org, sync, anna):
    version = anna.card.version
    [contact] = org.create("Contact", ANNA)
    sync()
    assert (sf_id(anna), told(anna)) == (contact, [["", contact]])
    assert Contact.objects.get(pk=anna.pk).card.version > version
    for full in (False, True):
        sync(full=full)
    assert told(anna) == [["", contact]]


def test_who_comes_in_later_has_the_id_too(org, sync, person):
    [contact] = org.create("Contact", ANNA)
    sync()
    anna = person(email="anna@example.com")
    sync()
    assert (sf_id(anna), told(anna)) == (contact, [["", contact]])


def test_of_several_the_contact_comes_before_the_lead_and_the_oldest_first(org, sync, anna):
    [lead] = org.create("Lead", LEAD)
    sync()
    assert sf_id(anna) == lead
    [first, _second] = org.create("Contact", ANNA, ANNA)
    sync()
    assert (sf_id(anna), told(anna)) == (first, [["", lead], [lead, first]])


@pytest.mark.parametrize("given", ["003QE0000000042YAA", "003000000000009AAA"])
def test_an_id_that_came_in_by_hand_or_file_stands(org, sync, person, given):
    anna = person(email="anna@example.com", salesforce_id=given)
    org.create("Contact", ANNA)
    sync()
    sync(full=True)
    assert (sf_id(anna), told(anna)) == (given, [])


def test_an_id_that_is_given_by_hand_later_stands(org, sync, anna):
    [first, second] = org.create("Contact", ANNA, ANNA)
    sync()
    Contact.objects.filter(pk=anna.pk).update(salesforce_id=second)
    org.edit(first, {"Title": "Chief"})
    sync(full=True)
    assert sf_id(anna) == second


@pytest.mark.parametrize("read", ["link", "page"])
def test_an_id_that_is_given_to_another_by_hand_takes_the_record_along(org, sync, anna, person, read):
    [contact] = org.create("Contact", ANNA)
    sync()
    bo = person(email="bo@example.com", last_name="Bo", salesforce_id=contact)
    if read == "page":
        org.edit(contact, {"Title": "Chief"})
    sync()
    assert (sf_id(anna), sf_id(bo)) == ("", contact)
    assert SyncRecord.objects.get().contact_id == bo.pk


def test_a_deleted_record_leaves_its_place_to_the_next_or_to_none(org, sync, anna):
    made_at = (timezone.now() - dt.timedelta(hours=1)).isoformat()
    [first, second] = org.create("Contact", ANNA, ANNA, at=made_at)
    sync()
    org.delete(first)
    sync()
    assert sf_id(anna) == second
    org.delete(second, hard=True)
    sync(full=True)
    assert (sf_id(anna), told(anna)[-1]) == ("", [second, ""])


def test_a_merge_in_salesforce_moves_the_id_to_the_winner(org, sync, anna):
    [first, second] = org.create("Contact", ANNA, ANNA)
    sync()
    org.merge(second, first)
    sync()
    assert sf_id(anna) == second


def test_a_converted_lead_leaves_the_id_to_the_contact(org, sync, anna):
    [lead] = org.create("Lead", LEAD)
    sync()
    contact = org.convert(lead)
    sync()
    assert sf_id(anna) == contact


def test_people_who_were_brought_in_get_the_better_record(org, sync):
    SyncConnection.objects.update(create_people=True)
    [lead] = org.create("Lead", LEAD)
    sync()
    anna = Contact.objects.get()
    assert anna.salesforce_id == lead
    [contact] = org.create("Contact", ANNA)
    sync()
    assert sf_id(anna) == contact


def test_disconnecting_takes_back_what_the_sync_wrote_and_nothing_else(org, sync, anna, person):
    bo = person(email="bo@example.com", salesforce_id="003000000000009AAA")
    [contact] = org.create("Contact", ANNA)
    sync()
    connecting.disconnect(actor=ACTOR)
    assert (sf_id(anna), told(anna)[-1]) == ("", [contact, ""])
    assert (sf_id(bo), SyncRecord.objects.count()) == ("003000000000009AAA", 0)
