import pytest

from compliance.models import Suppression
from compliance.suppression import suppression
from contacts.models import Contact
from contacts.people.addresses import key_name
from unsubscribes import rehash
from unsubscribes.links import links


@pytest.fixture
def new_key(settings):
    """Put a new key in front of the old one."""

    def change() -> None:
        settings.SUPPRESSION_KEYS = ["a newer key", *settings.SUPPRESSION_KEYS]

    return change


def test_with_one_key_there_is_nothing_to_do(person):
    person(email="a@example.com")
    assert rehash.rehash_addresses() == 0


def test_people_suppressions_and_links_move_to_the_new_key_together(person, member, new_key):
    anna, lars = person(email="a@example.com"), person(email="b@example.com")
    link = links.make(lars)
    suppression.unsubscribe(Contact.objects.filter(pk=anna.pk), actor=member, source="manual")
    new_key()
    assert (rehash.rehash_addresses(), rehash.rehash_addresses()) == (2, 0)
    keys = {*Contact.objects.values_list("address_hash_key", flat=True), Suppression.objects.get().hash_key}
    assert keys == {key_name("a newer key")}
    link.refresh_from_db()
    assert links.opt_out(link, source="clicked_link", reason="").changed == 1
    assert Contact.objects.get(pk=lars.pk).card.unsubscribed


def test_a_no_under_an_older_key_holds_before_the_job_has_run(person, member, new_key):
    person(email="a@example.com")
    suppression.unsubscribe(Contact.objects.all(), actor=member, source="manual")
    Contact.objects.all().delete()
    new_key()
    assert suppression.of_address("a@example.com") is not None
    assert person(email="a@example.com").card.unsubscribed
