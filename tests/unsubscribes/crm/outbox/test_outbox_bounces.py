"""A bounce opts out here alone; whatever is said later, by whichever door, goes to Salesforce."""

import io

import pytest
from django.core.files.base import ContentFile

from compliance.imports import import_jobs, working
from compliance.suppression import suppression
from contacts.models import Contact
from contacts.people.addresses import address_hashes, newest_key
from tests.unsubscribes.crm.conftest import ACTOR, box
from unsubscribes.links import links
from unsubscribes.opt_outs import address_list

ANNA = {"FirstName": "Anna", "LastName": "Berg", "Email": "anna@example.com"}


@pytest.fixture(params=["somebody's", "nobody's"])
def record(request, org, sync, person):
    """Return a record whose address bounced."""
    if request.param == "somebody's":
        person(email="anna@example.com")
    [contact] = org.create("Contact", ANNA)
    sync()
    suppression.unsubscribe_address(address_hashes("anna@example.com"), newest_key(), actor=ACTOR, source="bounce")
    sync()
    assert not box(org, contact)
    return contact


def test_a_list_of_opt_outs_is_heard(org, sync, record, administrator):
    address_list.take(io.BytesIO(b"anna@example.com\n"), "no.txt", actor=administrator)
    sync()
    assert box(org, record)


def test_an_import_that_says_no_is_heard(org, sync, record, member):
    rows = b"Email,Unsubscribed\nanna@example.com,yes\n"
    working.run(import_jobs.start(ContentFile(rows), "people.csv", actor=member).pk)
    sync()
    assert box(org, record)


def test_an_opt_out_by_hand_or_by_link_is_heard(org, sync, person, unsubscribe):
    anna, bo = person(email="anna@example.com"), person(email="bo@example.com")
    records = org.create("Contact", ANNA, ANNA | {"Email": "bo@example.com"})
    link = links.make(bo)
    sync()
    suppression.unsubscribe(Contact.objects.all(), actor=ACTOR, source="bounce")
    unsubscribe(anna)
    links.opt_out(link, source="clicked_link", reason="")
    sync()
    assert [box(org, each) for each in records] == [True, True]


def test_a_tick_that_takes_the_address_away_is_one_of_the_address(org, sync):
    [contact] = org.create("Contact", ANNA)
    sync()
    org.edit(contact, {"Email": None, "HasOptedOutOfEmail": True})
    sync()
    assert suppression.of_address("anna@example.com")
