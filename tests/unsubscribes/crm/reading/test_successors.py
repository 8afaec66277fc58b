"""Records that are merged, converted, deleted and restored, and ids that came in by hand."""

import itertools

import pytest
from django.core.files.base import ContentFile

from compliance.card import editing
from compliance.imports import import_jobs, working
from compliance.suppression import suppression
from contacts.models import Contact
from exports.erasure import erasure
from tests.unsubscribes.crm.conftest import ACTOR, box, is_out
from unsubscribes.crm.models import SyncError, SyncRecord
from unsubscribes.crm.outbox import outbox
from unsubscribes.crm.reading import successors

ANNA = {"FirstName": "Anna", "LastName": "Berg", "Email": "anna@example.com"}
OTHER = ANNA | {"Email": "berg@example.com"}


def test_a_loser_leaves_its_opt_out_to_the_winner(org, sync, person):
    anna, berg = person(email="anna@example.com"), person(email="berg@example.com")
    [winner, loser] = org.create("Contact", ANNA, OTHER | {"HasOptedOutOfEmail": True})
    sync()
    org.merge(winner, loser)
    org.opt_out(winner, False)
    sync()
    assert (is_out(anna), is_out(berg), box(org, winner)) == (True, True, True)


def test_an_opt_out_of_the_loser_that_waits_here_reaches_the_winner(org, sync, person, unsubscribe):
    berg = person(email="berg@example.com")
    [winner, loser] = org.create("Contact", ANNA, OTHER)
    sync()
    org.merge(winner, loser)
    unsubscribe(berg)
    sync("push")
    sync("push")
    assert box(org, winner)


def test_an_opt_out_goes_to_the_contact_that_a_lead_became(org, sync, person, unsubscribe):
    anna = person(email="anna@example.com")
    [lead] = org.create("Lead", ANNA | {"Company": "Exempel"})
    sync()
    contact = org.convert(lead)
    unsubscribe(anna)
    sync("push")
    sync()
    assert (box(org, contact), is_out(anna)) == (True, True)


def test_a_deleted_record_keeps_the_opt_out_here_and_gets_it_back_when_it_is_restored(org, sync, person, unsubscribe):
    anna = person(email="anna@example.com")
    [contact] = org.create("Contact", ANNA)
    sync()
    org.delete(contact)
    unsubscribe(anna)
    run = sync()
    assert (run.state, run.errors, is_out(anna)) == ("done", 0, True)
    org.undelete(contact)
    sync()
    assert box(org, contact)


def test_what_is_deleted_for_good_is_no_trouble_for_long(org, sync, person, unsubscribe):
    anna = person(email="anna@example.com")
    [contact] = org.create("Contact", ANNA)
    sync()
    org.delete(contact, hard=True)
    unsubscribe(anna)
    assert sync().errors == 0
    assert SyncRecord.objects.get().deleted


def test_a_consent_holds_though_a_deleted_record_was_opted_out(org, sync, person, unsubscribe, consent):
    anna = person(email="anna@example.com")
    [kept, gone] = org.create("Contact", ANNA, ANNA | {"HasOptedOutOfEmail": True})
    sync()
    org.delete(gone)
    sync()
    consent(anna)
    sync()
    sync(full=True)
    assert (is_out(anna), box(org, kept)) == (False, False)


def test_an_id_of_15_characters_links_a_person_without_the_address(org, sync, person, unsubscribe):
    [contact] = org.create("Contact", ANNA)
    bo = person(email="bo@example.com", last_name="Bo", salesforce_id=contact[:15])
    unsubscribe(bo)
    sync()
    assert box(org, contact)


def test_ids_of_15_characters_in_an_imported_file_link_too(org, sync, member, unsubscribe):
    """Reports of Salesforce give 15 characters."""
    [contact] = org.create("Contact", ANNA)
    rows = f"Last Name,Email,Salesforce ID\nBo,bo@example.com,{contact[:15]}\n"
    working.run(import_jobs.start(ContentFile(rows.encode()), "report.csv", actor=member).pk)
    [bo] = Contact.objects.all()
    assert bo.salesforce_id == contact
    unsubscribe(bo)
    sync()
    assert box(org, contact)


def test_an_id_given_later_brings_the_opt_out_with_it(org, sync, person):
    [contact] = org.create("Contact", ANNA | {"HasOptedOutOfEmail": True})
    bo = person(email="bo@example.com", last_name="Bo")
    sync()
    assert not is_out(bo)
    editing.edit(bo.pk, {"salesforce_id": contact}, actor=ACTOR)
    sync("pull")
    assert is_out(bo)


def test_a_changed_address_keeps_the_link(org, sync, person, unsubscribe):
    anna = person(email="anna@example.com")
    [contact] = org.create("Contact", ANNA)
    sync()
    editing.edit(anna.pk, {"email": "new@example.com"}, actor=ACTOR)
    unsubscribe(anna)
    sync()
    assert box(org, contact)


BERG = {"FirstName": "Anna", "LastName": "Berg"}


def chain(org, number: int, **first) -> list[str]:
    """Create contacts with an address each, the first with more fields; return their ids."""
    return org.create(
        "Contact", *(BERG | {"Email": f"a{n}@example.com"} | (first if n == 0 else {}) for n in range(number))
    )


@pytest.mark.parametrize("hops", [2, 3, 5])
@pytest.mark.parametrize("full", [False, True], ids=["changes", "everything"])
def test_an_opt_out_goes_to_the_end_of_a_chain_of_merges(org, sync, person, hops, full):
    people = [person(email=f"a{n}@example.com", last_name=f"B{n}") for n in range(hops + 1)]
    ids = chain(org, hops + 1)
    sync()
    org.opt_out(ids[0])
    for loser, winner in itertools.pairwise(ids):
        org.merge(winner, loser)
    sync(full=full)
    sync()
    # Read one by one, each winner would have been opted out when its turn came.
    assert ([is_out(each) for each in people], box(org, ids[-1])) == ([True] * (hops + 1), True)


def test_the_end_of_a_chain_may_be_read_before_its_beginning(org, sync, person):
    """By id the last winner comes first, and each page is applied before the next is asked for."""
    last = person(email="a0@example.com", last_name="Last")
    ids = chain(org, 400)
    sync()
    org.opt_out(ids[-1])
    for loser, winner in itertools.pairwise([ids[-1], ids[200], ids[0]]):
        org.merge(winner, loser)
    org.settings(page_size=200)
    sync(full=True)
    sync()
    assert (is_out(last), box(org, ids[0])) == (True, True)


def test_a_lead_leaves_its_opt_out_to_whoever_its_contact_was_merged_into(org, sync, person):
    """Contacts are read before leads: what the lead owes goes to a contact that has been read already."""
    winner = person(email="a0@example.com", last_name="Winner")
    [kept] = chain(org, 1)
    [lead] = org.create("Lead", BERG | {"Email": "lead@example.com", "Company": "Exempel"})
    sync()
    org.opt_out(lead)
    contact = org.convert(lead)
    org.opt_out(contact, False)
    org.merge(kept, contact)
    sync()
    sync()
    assert (is_out(winner), box(org, kept)) == (True, True)


def test_an_opt_out_that_waits_here_is_written_at_the_end_of_a_chain(org, sync, person, unsubscribe):
    berg = person(email="lead@example.com")
    [kept, between] = org.create("Contact", BERG, BERG)
    [lead] = org.create("Lead", BERG | {"Email": "lead@example.com", "Company": "Exempel"})
    sync()
    org.convert(lead, between)
    org.merge(kept, between)
    unsubscribe(berg)
    sync("push")
    sync("push")
    assert box(org, kept)


def test_an_opt_out_said_after_a_chain_was_read_is_written_at_its_end(org, sync, person, unsubscribe):
    berg = person(email="lead@example.com")
    [kept, between] = org.create("Contact", BERG, BERG)
    [lead] = org.create("Lead", BERG | {"Email": "lead@example.com", "Company": "Exempel"})
    sync()
    org.convert(lead, between)
    org.merge(kept, between)
    sync()
    unsubscribe(berg)
    sync("push")
    assert box(org, kept)


def test_an_opt_out_of_an_address_that_nobody_has_goes_along_too(org, sync, person, unsubscribe):
    nobody = person(email="a0@example.com")
    unsubscribe(nobody)
    nobody.delete()
    ids = chain(org, 3)
    for loser, winner in itertools.pairwise(ids):
        org.merge(winner, loser)
    sync()
    sync()
    assert box(org, ids[-1])


def test_an_end_that_gets_an_address_later_has_the_opt_out_then(org, sync, person):
    [loser] = chain(org, 1)
    [between, winner] = org.create("Contact", BERG, BERG)
    sync()
    org.opt_out(loser)
    org.merge(between, loser)
    org.merge(winner, between)
    sync()
    org.edit(winner, {"Email": "new@example.com"})
    sync()
    sync()
    assert (is_out(person(email="new@example.com")), box(org, winner)) == (True, True)


@pytest.mark.parametrize("merged_before", [True, False], ids=["merged before it is read", "read and then merged"])
def test_an_address_that_an_erasure_made_us_forget_gets_the_opt_out(org, sync, person, unsubscribe, merged_before):
    anna, berg = person(email="anna@example.com"), person(email="berg@example.com")
    [of_anna, of_berg] = org.create("Contact", ANNA, OTHER)
    [lead] = org.create("Lead", OTHER | {"Company": "Exempel"})
    sync()
    erasure.delete(Contact.objects.filter(pk=anna.pk), actor=ACTOR)
    unsubscribe(berg)
    org.convert(lead, of_anna)
    if not merged_before:
        sync("pull")
    org.merge(of_berg, of_anna)
    sync()
    assert suppression.of_address("anna@example.com")


def test_a_consent_holds_against_an_opt_out_that_an_address_was_still_to_get(org, sync, person, unsubscribe, consent):
    anna, berg = person(email="anna@example.com"), person(email="berg@example.com")
    [of_anna] = org.create("Contact", ANNA)
    [lead] = org.create("Lead", OTHER | {"Company": "Exempel"})
    sync()
    erasure.delete(Contact.objects.filter(pk=anna.pk), actor=ACTOR)
    unsubscribe(berg)
    org.convert(lead, of_anna)
    sync("pull")
    assert SyncRecord.objects.get(sf_id=of_anna).owed_to_address
    consent(berg)
    sync()
    sync(full=True)
    assert (suppression.of_address("anna@example.com"), is_out(berg)) == (None, False)


def test_a_link_of_a_chain_that_is_gone_for_good_ends_nothing_but_itself(org, sync, person):
    anna, other = person(email="a0@example.com"), person(email="other@example.com")
    ids = chain(org, 3)
    [lone] = org.create("Contact", BERG | {"Email": "other@example.com"})
    sync()
    org.opt_out([ids[0], lone])
    for loser, winner in itertools.pairwise(ids):
        org.merge(winner, loser)
    org.delete(ids[1], hard=True)
    assert sync().state == sync(full=True).state == "done"
    assert (is_out(anna), is_out(other)) == (True, True)


def test_a_circle_of_successors_ends_no_read(org, sync, person):
    anna = person(email="a0@example.com")
    ids = chain(org, 2)
    sync()
    SyncRecord.objects.filter(sf_id=ids[0]).update(successor_id=ids[1], owes=True)
    SyncRecord.objects.filter(sf_id=ids[1]).update(successor_id=ids[0], owes=True)
    assert successors.pass_on(our_user="", now=None) == 0
    assert outbox.affected_records([anna.pk]) == []
    assert sync(full=True).state == "done"


def test_a_consent_of_the_winner_holds_though_a_loser_was_opted_out(org, sync, person, consent):
    last = person(email="a2@example.com")
    ids = chain(org, 3)
    sync()
    org.opt_out(ids[0])
    for loser, winner in itertools.pairwise(ids):
        org.merge(winner, loser)
    sync()
    assert is_out(last)
    consent(last)
    sync()
    sync(full=True)
    assert (is_out(last), box(org, ids[-1])) == (False, False)


def test_who_is_restored_ticked_and_deleted_again_is_heard(org, sync, person):
    """The record looks as it did: deleted, with no successor. Only its stamp tells that it was there in between."""
    anna = person(email="anna@example.com")
    [contact] = org.create("Contact", ANNA)
    sync()
    org.delete(contact)
    sync()
    org.clock(advance=5)
    org.undelete(contact)
    org.opt_out(contact)
    org.delete(contact)
    sync()
    assert is_out(anna)


def test_who_is_restored_ticked_and_merged_again_into_the_same_is_heard(org, sync, person):
    anna, winner = person(email="anna@example.com"), person(email="berg@example.com")
    [kept, loser] = org.create("Contact", OTHER, ANNA)
    sync()
    org.merge(kept, loser)
    sync()
    org.clock(advance=5)
    org.undelete(loser)
    org.opt_out(loser)
    org.merge(kept, loser)
    sync()
    sync()
    assert (is_out(anna), is_out(winner), box(org, kept)) == (True, True, True)


def test_a_converted_lead_that_is_ticked_afterwards_is_heard_once(org, sync, person, consent):
    anna = person(email="anna@example.com")
    [lead] = org.create("Lead", ANNA | {"Company": "Exempel"})
    sync()
    contact = org.convert(lead)
    sync()
    org.clock(advance=5)
    org.opt_out(lead)
    sync()
    sync()
    assert (is_out(anna), box(org, contact)) == (True, True)
    consent(anna)
    sync()
    org.clock(advance=5)
    org.edit(lead, {"Title": "Chief"}, by="automated")
    sync()
    assert (is_out(anna), box(org, contact)) == (False, False)


def lead_with_a_tick(org, sync, person):
    """Return somebody who is opted out by the box of a lead, and the lead."""
    anna = person(email="anna@example.com")
    [lead] = org.create("Lead", ANNA | {"Company": "Exempel", "HasOptedOutOfEmail": True})
    sync()
    return anna, lead


def test_a_consent_follows_a_lead_that_was_converted_before(org, sync, person, consent):
    anna, lead = lead_with_a_tick(org, sync, person)
    contact = org.convert(lead)
    sync()
    consent(anna)
    sync()
    sync(full=True)
    assert (is_out(anna), box(org, contact)) == (False, False)


def test_a_tick_that_a_merge_takes_along_after_a_consent_stands_and_is_said(org, sync, person, consent):
    """Nothing proves that nobody said no once more meanwhile, unless the merge bears the very second of the tick."""
    anna = person(email="anna@example.com")
    [winner, loser] = org.create("Contact", ANNA, ANNA | {"HasOptedOutOfEmail": True})
    sync()
    consent(anna)
    org.clock(advance=5)
    org.merge(winner, loser)
    sync()
    sync()
    assert (is_out(anna), box(org, winner)) == (True, True)
    assert set(SyncError.objects.filter(code="OPT_OUT_WINS").values_list("state", flat=True)) == {"dead"}


def test_a_tick_that_a_conversion_takes_along_after_a_consent_stands_and_is_said(org, sync, person, consent):
    """Nothing proves that nobody said no once more meanwhile; whoever converted the lead saw the tick and left it."""
    anna, lead = lead_with_a_tick(org, sync, person)
    consent(anna)
    contact = org.convert(lead)
    sync()
    sync()
    assert (is_out(anna), box(org, contact)) == (True, True)
    assert SyncError.objects.get(code="OPT_OUT_WINS").state == "dead"
    org.clock(advance=5)
    consent(anna)
    sync()
    assert (is_out(anna), box(org, contact)) == (False, False)
