"""Somebody says no to an address at the moment in which a person gets it: each way to say it, each way to get it."""

import datetime as dt
import io
import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from anymail.signals import AnymailTrackingEvent
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.test import Client

from compliance.card import editing
from compliance.card.creation import create_person
from compliance.card.staging import NewPerson
from compliance.imports import import_jobs, working
from compliance.models import ComplianceCard, ImportJob
from compliance.suppression import suppression
from contacts.accounts import tokens
from contacts.models import Contact
from contacts.people.addresses import address_hash, newest_key
from contacts.people.skeletons import skeleton_hashes
from exports.erasure import ledger_replay
from salesconnect.lib.actor import Actor, system
from tests.evidence import evidence
from tests.interleaving import Act, overlapping
from unsubscribes import rehash
from unsubscribes.crm import provider_registry
from unsubscribes.crm.models import SyncConnection
from unsubscribes.crm.people import newcomers
from unsubscribes.crm.reading import applying
from unsubscribes.crm.values import CrmRecord
from unsubscribes.evidence.reconsent import reconsent
from unsubscribes.links import links
from unsubscribes.merging.merge import merge
from unsubscribes.merging.unmerge import unmerge
from unsubscribes.opt_outs import address_list
from unsubscribes.reports import reports

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

COMMAND = system("command")
NOON = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)


@dataclass
class World:
    """Who acts, and the address of which a race is about."""

    person: Callable
    member: Actor
    administrator: Actor
    token: str
    number: int = 0

    @property
    def address(self) -> str:
        return f"anna{self.number}@example.com"

    def other(self, name: str) -> str:
        return f"{name}{self.number}@example.com"


@pytest.fixture
def world(person, member, administrator, bob) -> World:
    SyncConnection.objects.create(pk=1)
    return World(person, member, administrator, tokens.make(bob, "race"))


def typed_in(world: World) -> Act:
    new = NewPerson({"last_name": "Berg", "email": world.address})
    return lambda: create_person(new, actor=world.member)


def created_by_the_api(world: World) -> Act:
    body = json.dumps({"last_name": "Berg", "email": world.address})
    headers = {"Authorization": f"Token {world.token}"}

    def act() -> None:
        answer = Client().post("/api/v1/contacts/", body, content_type="application/json", headers=headers)
        assert answer.status_code == 201, answer.content

    return act


def imported(world: World) -> Act:
    world.person(email=world.other("here"))
    around = [f"{world.other(f'row{place}x')},Co" for place in range(20)]
    rows = ["Email,Company", *around[:10], f"{world.address},Co", f"{world.other('here')},New", *around[10:]]
    job = import_jobs.start(ContentFile("\n".join(rows).encode()), "people.csv", actor=world.member)
    address = world.address

    def act() -> None:
        while working.run(job.pk):
            pass
        done = ImportJob.objects.get(pk=job.pk)
        assert (done.state, done.created, done.updated) == ("done", 21, 1)
        assert done.suppressed == Contact.objects.filter(email_key=address, card__unsubscribed=True).count()

    return act


def given_to_somebody(world: World) -> Act:
    someone = world.person(email=world.other("before"))
    new = {"email": world.address}
    return lambda: editing.edit(someone.pk, new, actor=world.member)


def left_by_its_holder(world: World) -> Act:
    holder = world.person(email=world.address)
    give = typed_in(world)

    def act() -> None:
        editing.edit(holder.pk, {"email": world.other("elsewhere")}, actor=world.member)
        give()

    return act


def taken_over_in_a_merge(world: World) -> Act:
    survivor, absorbed = world.person(last_name="Berg"), world.person(email=world.address)
    return lambda: merge(survivor.pk, absorbed.pk, actor=world.member)


def given_back_by_an_undone_merge(world: World) -> Act:
    survivor, absorbed = world.person(email=world.other("survivor")), world.person(email=world.address)
    merged = merge(survivor.pk, absorbed.pk, actor=world.member)
    return lambda: unmerge(merged.pk, actor=world.member)


def brought_in_from_salesforce(world: World) -> Act:
    rows = [record(world, 1, opted_out=False)]

    @transaction.atomic
    def act() -> None:
        applying.apply(rows, our_user="", now=NOON)
        assert newcomers.create(rows, provider_registry.current()) == 1

    return act


GETS = [
    typed_in,
    created_by_the_api,
    imported,
    given_to_somebody,
    left_by_its_holder,
    taken_over_in_a_merge,
    given_back_by_an_undone_merge,
    brought_in_from_salesforce,
]


def link_followed(world: World) -> Act:
    link = links.make(world.person(email=world.other("link")))
    link.address_hash, link.skeleton_hash = address_hash(world.address), skeleton_hashes(world.address)[0]
    link.save()
    return lambda: links.opt_out(link, source="one_click", reason="")


def list_taken_in(world: World) -> Act:
    rows = [world.address, *(world.other(f"list{place}x") for place in range(20))]
    return lambda: address_list.take(io.BytesIO("\n".join(rows).encode()), "list.txt", actor=world.administrator)


def reported_by_a_provider(world: World) -> Act:
    event = AnymailTrackingEvent(event_type="complained", recipient=world.address, esp_event={})
    return lambda: reports.take("postmark", [event], label="Postmark")


def ticked_in_salesforce(world: World) -> Act:
    rows = [record(world, 2, opted_out=True)]
    return lambda: applying.apply(rows, our_user="", now=NOON)


def replayed_from_the_ledger(world: World) -> Act:
    line = ledger_replay.OptOutEntry(str(address_hash(world.address)), newest_key(), "one_click", NOON)
    return lambda: ledger_replay._suppress([line], COMMAND)


def written_by_hand(world: World) -> Act:
    people = Contact.objects.filter(email_key=world.address)
    return lambda: suppression.unsubscribe(people, actor=world.member, source="manual")


NOES = [link_followed, list_taken_in, reported_by_a_provider, ticked_in_salesforce, replayed_from_the_ledger]
BY_THE_PERSON = [link_followed, list_taken_in, reported_by_a_provider, written_by_hand]


def record(world: World, place: int, *, opted_out: bool) -> CrmRecord:
    return CrmRecord(
        sf_id=f"003{world.number:06}{place:06}AAA",
        sobject="Contact",
        email_key=world.address,
        opted_out=opted_out,
        stamp=NOON,
        modified_by="005000000000001AAA",
        deleted=False,
        successor_id="",
        account_id="",
        person_account=False,
        details={"last_name": "Berg", "email": world.address},
    )


@pytest.mark.parametrize("gets", GETS)
@pytest.mark.parametrize("first", ["no", "address"])
def test_whoever_gets_an_address_while_it_says_no_is_unsubscribed(world, gets, first):
    for says_no in NOES:
        world.number += 1
        no, address = says_no(world), gets(world)
        overlapping(*((no, address) if first == "no" else (address, no)))
        assert suppression.of_address(world.address) is not None, says_no.__name__
        assert Contact.objects.get(email_key=world.address).card.unsubscribed, says_no.__name__
    assert mailable_though_suppressed() == 0


@pytest.mark.parametrize("first", ["no", "hash"])
def test_a_no_finds_whoever_has_just_got_another_hash_for_the_same_address(world, settings, first):
    for says_no in (link_followed, list_taken_in, reported_by_a_provider, ticked_in_salesforce):
        world.number += 1
        world.person(email=world.address)
        no = says_no(world)
        settings.SUPPRESSION_KEYS = [f"key {world.number}", *settings.SUPPRESSION_KEYS]
        overlapping(*((no, rehash.rehash_addresses) if first == "no" else (rehash.rehash_addresses, no)))
        assert Contact.objects.get(email_key=world.address).card.unsubscribed, says_no.__name__
    assert mailable_though_suppressed() == 0
    # The keys are those of before again when the records are compared.
    settings.SUPPRESSION_KEYS = settings.SUPPRESSION_KEYS[::-1]
    rehash.rehash_addresses()


@pytest.mark.parametrize("says_no", BY_THE_PERSON)
def test_a_no_that_comes_while_a_reconsent_is_stored_stands(world, says_no):
    someone = world.person(email=world.address)
    suppression.unsubscribe(Contact.objects.filter(pk=someone.pk), actor=COMMAND, source="manual")
    no = says_no(world)
    overlapping(lambda: reconsent(someone.pk, evidence(), actor=world.administrator), no)
    assert ComplianceCard.objects.get(pk=someone.pk).unsubscribed
    assert suppression.of_address(world.address) is not None


def mailable_though_suppressed() -> int:
    """Count the people whose address is suppressed and whose card does not say so."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM contacts_contact c JOIN compliance_compliancecard card ON card.contact_id = c.id"
            " JOIN compliance_suppression s ON s.address_hash = c.address_hash WHERE NOT card.unsubscribed"
        )
        return cursor.fetchone()[0]


def test_a_chunk_of_many_addresses_needs_no_place_in_the_table_of_locks(world):
    rows = ["Email", *(f"many{place}@example.com" for place in range(12_000))]
    job = import_jobs.start(ContentFile("\n".join(rows).encode()), "people.csv", actor=world.member)
    held = []

    def count() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
            held.append(cursor.fetchone()[0])

    overlapping(lambda: working.run(job.pk), count)
    assert held[0] < 10
    assert Contact.objects.count() == 12_000
