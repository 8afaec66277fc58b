"""A new suppression key: what an older one hashed is still recognised in Salesforce's records."""

import pytest

from contacts.models import Contact
from exports.erasure import erasure
from tests.unsubscribes.crm.conftest import ACTOR, box, is_out
from unsubscribes import rehash
from unsubscribes.crm import tasks
from unsubscribes.crm.models import SyncConnection, SyncRun

ANNA = {"FirstName": "Anna", "LastName": "Berg", "Email": "anna@example.com"}


@pytest.fixture
def new_key(settings):
    """Return a function that puts a new key in front of the old one and re-hashes whom it can."""

    def change() -> None:
        settings.SUPPRESSION_KEYS = ["a newer key", *settings.SUPPRESSION_KEYS]
        rehash.rehash_addresses()

    return change


def test_a_new_record_of_somebody_who_was_deleted_is_opted_out(org, sync, person, unsubscribe, new_key):
    anna = person(email="anna@example.com")
    unsubscribe(anna)
    erasure.delete(Contact.objects.filter(pk=anna.pk), actor=ACTOR)
    new_key()
    [contact] = org.create("Contact", ANNA)
    sync()
    assert box(org, contact)


def test_a_record_that_was_known_is_linked_by_its_address(org, sync, person, unsubscribe, new_key):
    [contact] = org.create("Contact", ANNA)
    sync(full=True)
    new_key()
    anna = person(email="anna@example.com")
    unsubscribe(anna)
    sync(full=True)
    assert box(org, contact)


def test_a_linked_record_moves_with_its_person(org, sync, person, new_key):
    anna = person(email="anna@example.com")
    [contact] = org.create("Contact", ANNA)
    sync()
    new_key()
    org.opt_out(contact)
    sync("pull")
    assert is_out(anna)


def test_everything_is_read_once_after_a_new_key(org, sync, settings):
    sync(full=True)
    assert SyncConnection.objects.get().hash_key
    tasks.pull_salesforce()
    settings.SUPPRESSION_KEYS = ["a newer key", *settings.SUPPRESSION_KEYS]
    tasks.pull_salesforce()
    tasks.pull_salesforce()
    assert list(SyncRun.objects.order_by("pk").values_list("kind", flat=True)) == ["full", "pull", "reconcile", "pull"]
