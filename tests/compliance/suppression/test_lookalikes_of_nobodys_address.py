"""An opt-out of an address that nobody has is asked about with whoever looks like it, whatever the door knows of it."""

from importlib import import_module

import pytest
from django.db import connection

from compliance.models import Suppression
from compliance.suppression import suppression
from contacts.events import history
from contacts.models import Contact, ContactEvent
from contacts.people.addresses import address_hash, newest_key
from exports.erasure import erasure, ledger_entries, ledger_replay
from salesconnect.lib.actor import system
from unsubscribes import rehash
from unsubscribes.links import links
from unsubscribes.mail import failures
from unsubscribes.models import MailLink

COMMAND = system("command")


def asked_about(person: Contact) -> bool:
    person.card.refresh_from_db()
    return person.card.looks_opted_out


@pytest.fixture
def link(person) -> MailLink:
    """Return the link of a mail to an address that nobody has any more."""
    anna = person(email="anna@example.com")
    made = links.make(anna)
    Contact.objects.filter(pk=anna.pk).delete()
    made.refresh_from_db()
    return made


def forget_who_said_no() -> None:
    """Be as a restored backup from before is."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("DELETE FROM compliance_suppression")
        cursor.execute("SET LOCAL session_replication_role = origin")


def follow(link: MailLink) -> None:
    found = MailLink.objects.get(pk=link.pk)
    links.opt_out(found, source=Suppression.Source.ONE_CLICK, reason="")


def test_a_link_knows_what_its_address_looks_like(link, person):
    here = person(email="anna+here@example.com")
    follow(link)
    assert asked_about(here)
    assert asked_about(person(email="anna+later@example.com"))


def test_a_link_that_a_bounce_came_before_does_too(link, person):
    bounced = {"actor": failures.MAIL_SERVER, "reason": "", "skeleton": link.skeleton_hash}
    failures.no_such_user(link.address_hash, link.hash_key, **bounced)
    here = person(email="anna+here@example.com")
    assert not asked_about(here)
    follow(link)
    assert asked_about(here)


def test_a_link_of_somebody_who_is_here_moves_to_a_new_key(person, settings):
    anna = person(email="anna@example.com")
    made = links.make(anna)
    settings.SUPPRESSION_KEYS = ["a newer key", *settings.SUPPRESSION_KEYS]
    rehash.rehash_addresses()
    anna.refresh_from_db()
    made.refresh_from_db()
    assert (made.address_hash, made.skeleton_hash) == (anna.address_hash, anna.skeleton_hash)


def test_a_link_forgets_what_its_address_looked_like_with_the_address(person, member):
    anna = person(email="anna@example.com")
    links.make(anna)
    erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
    assert MailLink.objects.values_list("address_hash", "skeleton_hash").get() == (None, None)


def test_a_link_from_before_learns_it_from_whoever_has_the_address(person):
    made = links.make(person(email="anna@example.com"))
    MailLink.objects.update(skeleton_hash=None)
    for _again in range(2):
        with connection.schema_editor() as editor:
            import_module("unsubscribes.migrations.0029_links_look_alike").fill(None, editor)
    assert MailLink.objects.get().skeleton_hash == made.skeleton_hash is not None


@pytest.mark.parametrize("erased", [False, True])
def test_the_ledger_knows_what_its_addresses_look_like(person, member, settings, tmp_path, erased):
    settings.ERASURE_LEDGER = str(tmp_path / "erasures.jsonl")
    anna = person(email="anna@example.com")
    suppression.unsubscribe(Contact.objects.filter(pk=anna.pk), actor=member, source="manual")
    if erased:
        erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
    else:
        ledger_entries.write_suppressions()
        Contact.objects.filter(pk=anna.pk).delete()
    forget_who_said_no()
    here = person(email="anna+here@example.com")
    ledger_replay.replay(actor=COMMAND)
    assert asked_about(here)
    assert asked_about(person(email="anna+later@example.com"))


def test_a_copy_of_an_opt_out_of_a_folded_domain_knows_it_too(person):
    folded, right = "i@fass.de", "i@xn--fa-hia.de"
    Suppression.objects.create(address_hash=address_hash(folded), hash_key=newest_key(), source="manual", folded=True)
    here = person(email="i+here@faß.de")
    suppression.move_to_newest_key([right])
    assert Suppression.objects.filter(address_hash=address_hash(right)).exists()
    assert [event.action for event in ContactEvent.objects.filter(contact_id=here.pk)][-1] == history.LOOKED_ALIKE
