"""Records that are merged, converted, deleted and restored, and ids that came in by hand."""

from django.core.files.base import ContentFile

from compliance import editing
from compliance.imports import services as imports
from compliance.imports import working
from contacts.models import Contact
from tests.unsubscribes.salesforce.conftest import ACTOR, box, is_out
from unsubscribes.salesforce.models import SyncRecord

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
    working.run(imports.start(ContentFile(rows.encode()), "report.csv", actor=member).pk)
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
