"""Addresses whose domain was stored with its case folded: found again, and their "no" with them."""

import io
from importlib import import_module

import pytest
from django.db import connection

from compliance.card import editing
from compliance.models import Suppression
from compliance.suppression import suppression
from contacts.models import Contact
from contacts.people.addresses import address_hash, newest_key
from tests.mailing import DRAFT
from unsubscribes.links import links
from unsubscribes.mail import mailing
from unsubscribes.mail.sending.envelope import deliverable
from unsubscribes.opt_outs import address_list

FOLDED, RIGHT = "i@fass.de", "i@xn--fa-hia.de"
migration = import_module("unsubscribes.migrations.0018_domains_apart")
pytestmark = pytest.mark.django_db


def respell():
    with connection.schema_editor() as editor:
        migration.respell(None, editor)


@pytest.fixture
def stored_before(person):
    """Return a function that stores somebody as it was done before."""

    def store(email: str = "i@faß.de", key: str = FOLDED):
        someone = person(email=email)
        Contact.objects.filter(pk=someone.pk).update(email_key=key, address_hash=address_hash(key))
        return Contact.objects.get(pk=someone.pk)

    return store


@pytest.fixture
def suppressed_before():
    """Suppress the folded form as it was done before."""
    return Suppression.objects.create(
        address_hash=address_hash(FOLDED), hash_key=newest_key(), source="one_click", folded=True
    )


def test_mail_goes_to_the_domain_that_was_typed_in(person):
    assert deliverable(person(email="i@faß.de")) == RIGHT
    assert deliverable(person(email="i@βόλος.com")) == "i@xn--nxasmm1c.com"


def test_a_no_to_one_domain_is_none_to_the_other(person, member):
    one, other = person(email="i@faß.de"), person(email="i@fass.de")
    suppression.unsubscribe(Contact.objects.filter(pk=one.pk), actor=member, source="manual")
    assert suppression.of_address(RIGHT)
    assert suppression.of_address(FOLDED) is None
    assert not Contact.objects.get(pk=other.pk).card.unsubscribed


def test_who_was_stored_folded_is_moved_with_links_and_failures_and_no(stored_before, member):
    someone = stored_before()
    message = mailing.write_to_one(someone.pk, DRAFT, actor=member)
    message.link = links.make(someone)
    message.save()
    suppression.unsubscribe(Contact.objects.filter(pk=someone.pk), actor=member, source="manual")
    respell()
    respell()
    someone.refresh_from_db()
    message.link.refresh_from_db()
    assert (someone.email_key, someone.address_hash) == (RIGHT, address_hash(RIGHT))
    assert message.link.address_hash == address_hash(RIGHT)
    assert {suppression.of_address(FOLDED).source, suppression.of_address(RIGHT).source} == {"manual"}
    assert someone.card.unsubscribed


def test_who_gets_a_suppressed_address_by_its_right_form_is_unsubscribed(stored_before):
    someone = stored_before("i@βόλος.com", "i@xn--nxasmq6b.com")
    Suppression.objects.create(address_hash=address_hash("i@xn--nxasmm1c.com"), hash_key=newest_key(), source="import")
    respell()
    assert Contact.objects.select_related("card").get(pk=someone.pk).card.unsubscribed


def test_two_people_with_one_address_are_left_and_share_the_no(stored_before, person, member, caplog):
    someone, other = stored_before(), person(email=RIGHT)
    suppression.unsubscribe(Contact.objects.filter(pk=other.pk), actor=member, source="manual")
    respell()
    assert f"People {someone.pk} and {other.pk}" in caplog.text
    assert Contact.objects.filter(card__unsubscribed=True).count() == 2
    assert deliverable(someone) == RIGHT


@pytest.mark.parametrize("way", ["created", "edited"])
def test_a_no_that_was_stored_folded_still_holds_for_who_comes_later(suppressed_before, person, member, way):
    if way == "created":
        someone = person(email="i@faß.de")
    else:
        someone = person(email="before@example.com")
        editing.edit(someone.pk, {"email": "i@faß.de"}, actor=member)
    assert Contact.objects.select_related("card").get(pk=someone.pk).card.unsubscribed
    assert Suppression.objects.filter(address_hash=address_hash(RIGHT), folded=False).exists()


def test_a_no_of_today_to_the_other_domain_holds_nobody_else(person, administrator):
    address_list.take(io.BytesIO(b"i@fass.de\n"), "list.txt", actor=administrator)
    assert not person(email="i@faß.de").card.unsubscribed
