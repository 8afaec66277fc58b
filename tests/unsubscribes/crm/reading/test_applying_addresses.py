"""An address that changes in Salesforce while an opt-out is on its way there: whose opt-out was it?"""

import datetime as dt

import pytest

from compliance.models import Suppression
from contacts.models import Contact
from tests.unsubscribes.crm.conftest import box, is_out
from unsubscribes.crm.models import SyncConnection, SyncCursor, SyncError

ANNA = {"FirstName": "Anna", "LastName": "Berg", "Email": "anna@example.com"}
BO = {"Email": "bo@example.com"}


@pytest.fixture
def two(org, sync, person, unsubscribe):
    """Return Anna, who has just opted out here, Bo, and the record that was Anna's and is Bo's without our knowing."""
    anna, bo = person(email="anna@example.com"), person(email="bo@example.com", last_name="Bo")
    [contact] = org.create("Contact", ANNA)
    sync()
    unsubscribe(anna)
    org.clock(advance=5)
    org.edit(contact, BO)
    org.clock(advance=5)
    sync("push")
    assert box(org, contact)
    return anna, bo, contact


def test_our_own_tick_is_no_opt_out_of_whoever_has_the_record_now(sync, two):
    anna, bo, _contact = two
    sync()
    sync(full=True)
    assert (is_out(anna), is_out(bo), Suppression.objects.count()) == (True, False, 1)
    assert SyncError.objects.get().code == "OTHER_ADDRESS"


def test_nor_when_nobody_here_has_either_address(org, sync, person, unsubscribe):
    anna = person(email="anna@example.com")
    [contact] = org.create("Contact", ANNA)
    sync()
    unsubscribe(anna)
    anna.delete()
    org.edit(contact, BO)
    org.clock(advance=5)
    sync("push")
    sync()
    bo = person(email="bo@example.com", last_name="Bo")
    sync()
    assert (is_out(bo), Suppression.objects.count()) == (False, 1)


def test_nor_however_often_the_record_is_read(org, sync, two):
    _anna, bo, _contact = two
    sync()
    SyncCursor.objects.update(watermark=org.now() - dt.timedelta(hours=1))
    sync()
    sync(full=True)
    assert not is_out(bo)


def test_who_saves_a_record_that_shows_the_tick_leaves_it_there(org, sync, two):
    """Nobody can tell a second tick from any other change of the record: in doubt it is an opt-out."""
    _anna, bo, contact = two
    sync()
    org.clock(advance=5)
    org.opt_out(contact)
    sync()
    assert is_out(bo)


def test_nor_for_people_who_come_in_from_salesforce(org, sync, person, unsubscribe):
    anna = person(email="anna@example.com")
    [contact] = org.create("Contact", ANNA)
    sync()
    unsubscribe(anna)
    anna.delete()
    org.edit(contact, BO)
    org.clock(advance=5)
    sync("push")
    SyncConnection.objects.update(create_people=True)
    sync()
    sync()
    assert not is_out(Contact.objects.get(email_key="bo@example.com"))


def test_whoever_ticks_the_box_again_is_heard(org, sync, two):
    anna, bo, contact = two
    sync()
    anna.delete()
    org.clock(advance=5)
    org.opt_out(contact, False)
    sync()
    org.clock(advance=5)
    org.opt_out(contact)
    sync()
    assert is_out(bo)


def test_who_changes_the_address_of_a_record_that_shows_the_tick_takes_it_along(org, sync, person, unsubscribe):
    anna = person(email="anna@example.com")
    [contact] = org.create("Contact", ANNA)
    sync()
    unsubscribe(anna)
    sync()
    new = person(email="anna.new@example.com", last_name="New")
    org.clock(advance=5)
    org.edit(contact, {"Email": "anna.new@example.com"})
    sync()
    assert is_out(new)


def test_a_no_by_a_link_does_not_become_one_of_the_records_own_address(org, sync, person, unsubscribe):
    """The record is linked to Anna and has Bo's address: what Anna says is written there, and comes back as nothing."""
    anna, bo = person(email="anna@example.com"), person(email="bo@example.com", last_name="Bo")
    [contact] = org.create("Contact", ANNA)
    sync()
    org.edit(contact, BO)
    sync()
    unsubscribe(anna)
    org.clock(advance=5)
    sync()
    assert box(org, contact)
    sync()
    sync(full=True)
    assert (is_out(anna), is_out(bo)) == (True, False)


def test_our_own_tick_for_the_address_that_the_record_has_links_as_ever(org, sync, person, unsubscribe):
    anna = person(email="anna@example.com")
    [contact] = org.create("Contact", ANNA)
    sync()
    unsubscribe(anna)
    sync()
    zed = person(email="zed@example.com", last_name="Zed", salesforce_id=contact)
    sync()
    assert is_out(zed)


@pytest.fixture
def linked(org, sync, person):
    """Return Anna and Bo, and a record that is linked to Anna and has had Bo's address since."""
    anna, bo = person(email="anna@example.com"), person(email="bo@example.com", last_name="Bo")
    [contact] = org.create("Contact", ANNA)
    sync()
    org.edit(contact, BO)
    sync()
    return anna, bo, contact


def test_a_tick_for_the_records_address_is_no_opt_out_of_the_person_to_whom_it_is_linked(sync, linked, unsubscribe):
    anna, bo, _contact = linked
    unsubscribe(bo)
    for _cycle in range(3):
        sync()
    assert (is_out(anna), is_out(bo)) == (False, True)


def test_a_consent_holds_though_a_record_of_the_person_stays_ticked_for_another_address(
    org, sync, linked, unsubscribe, consent
):
    anna, bo, contact = linked
    org.opt_out(contact)
    sync()
    assert is_out(anna)
    assert is_out(bo)
    consent(anna)
    for _cycle in range(2):
        sync()
        sync(full=True)
    assert (is_out(anna), is_out(bo), box(org, contact)) == (False, True, True)


def test_a_tick_of_somebody_else_is_read_before_it_is_written_over(org, sync, linked, unsubscribe):
    """What Anna says is written to a record with Bo's address, where Bo has just been opted out: both are heard."""
    anna, bo, contact = linked
    unsubscribe(anna)
    org.clock(advance=5)
    org.opt_out(contact)
    org.clock(advance=5)
    sync("push")
    sync()
    assert (is_out(anna), is_out(bo), box(org, contact)) == (True, True, True)


def test_an_id_that_was_never_read_is_read_before_it_is_written(org, sync, person, unsubscribe):
    sync()
    [contact] = org.create("Contact", BO | {"LastName": "Bo", "HasOptedOutOfEmail": True})
    zed, bo = person(email="zed@example.com", salesforce_id=contact), person(email="bo@example.com", last_name="Bo")
    unsubscribe(zed)
    org.clock(advance=5)
    sync("push")
    sync()
    assert (is_out(bo), org.journal(method="PATCH")) == (True, [])


def test_an_opt_out_of_an_address_that_nobody_has_is_asked_about_with_whoever_looks_like_it(org, sync, person):
    [contact] = org.create("Contact", ANNA)
    here = person(email="anna+here@example.com")
    sync()
    org.opt_out([contact])
    org.clock(advance=5)
    sync("pull")
    later = person(email="anna+later@example.com")
    for each in (here, later):
        each.card.refresh_from_db()
    assert (here.card.looks_opted_out, later.card.looks_opted_out) == (True, True)
    assert not is_out(here)
