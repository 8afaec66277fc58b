"""What is said on one side is heard on the other, and an opt-out wins."""

from tests.unsubscribes.crm.conftest import box, is_out
from unsubscribes.crm.models import OutboxEntry, SyncConnection, SyncRecord

ANNA = {"FirstName": "Anna", "LastName": "Berg", "Email": "Anna@Example.com"}


def test_an_opt_out_there_is_an_opt_out_here(org, sync, person):
    anna = person(email="anna@example.com")
    [contact] = org.create("Contact", ANNA)
    assert sync().state == "done"
    assert not is_out(anna)
    org.opt_out(contact)
    run = sync()
    assert (run.state, run.changed, is_out(anna), box(org, contact)) == ("done", 1, True, True)


def test_an_opt_out_here_goes_to_all_records_of_the_address(org, sync, person, unsubscribe):
    anna = person(email="anna@example.com")
    [first, second] = org.create("Contact", ANNA, ANNA)
    [lead] = org.create("Lead", ANNA | {"Company": "Exempel"})
    sync()
    unsubscribe(anna)
    run = sync("push")
    assert (run.state, run.written, run.calls) == ("done", 3, 1)
    assert [box(org, each) for each in (first, second, lead)] == [True, True, True]
    assert sync().written == 0


def test_an_opt_out_of_one_record_reaches_its_siblings(org, sync, person):
    anna = person(email="anna@example.com")
    [first, second] = org.create("Contact", ANNA, ANNA)
    sync()
    org.opt_out(first)
    assert sync().written == 1
    assert (is_out(anna), box(org, second)) == (True, True)


def test_who_was_opted_out_before_the_first_meeting_is_so_on_both_sides(org, sync, person, unsubscribe):
    anna, bo = person(email="anna@example.com"), person(email="bo@example.com")
    unsubscribe(anna)
    [hers] = org.create("Contact", ANNA)
    [his] = org.create("Contact", {"LastName": "Bo", "Email": "bo@example.com", "HasOptedOutOfEmail": True})
    sync()
    assert (is_out(anna), is_out(bo), box(org, hers), box(org, his)) == (True, True, True, True)


def test_who_comes_in_later_is_opted_out_as_salesforce_said(org, sync, person):
    org.create("Contact", ANNA | {"HasOptedOutOfEmail": True})
    sync()
    assert is_out(person(email="anna@example.com"))


def test_a_bounce_stays_here_and_a_complaint_does_not(org, sync, person, unsubscribe):
    anna, bo = person(email="anna@example.com"), person(email="bo@example.com")
    [hers] = org.create("Contact", ANNA)
    [his] = org.create("Contact", {"LastName": "Bo", "Email": "bo@example.com"})
    sync()
    unsubscribe(anna, source="bounce")
    unsubscribe(bo, source="complaint")
    sync()
    assert (box(org, hers), box(org, his)) == (False, True)
    unsubscribe(anna)
    sync()
    assert box(org, hers)


def test_a_new_consent_clears_the_boxes_that_were_ticked(org, sync, person, unsubscribe, consent):
    anna = person(email="anna@example.com")
    [contact] = org.create("Contact", ANNA)
    sync()
    unsubscribe(anna)
    sync()
    assert box(org, contact)
    consent(anna)
    run = sync()
    assert (run.state, box(org, contact), is_out(anna)) == ("done", False, False)
    assert sync().changed == 0
    assert not is_out(anna)


def test_an_opt_out_there_that_is_newer_than_a_consent_here_wins(org, sync, person, unsubscribe, consent):
    anna = person(email="anna@example.com")
    [contact] = org.create("Contact", ANNA)
    sync()
    unsubscribe(anna)
    sync()
    consent(anna)
    org.clock(advance=10)
    org.opt_out(contact)
    sync("push")
    assert (box(org, contact), is_out(anna)) == (True, True)


def test_an_idle_cycle_costs_one_call_and_four_where_composite_is_refused(org, sync, person):
    person(email="anna@example.com")
    org.create("Contact", ANNA)
    sync()
    assert sync().calls == 1
    org.settings(composite_refuses=["updated"])
    sync()
    assert sync().calls == 4


def test_nothing_else_is_ever_written(org, sync, person, unsubscribe):
    anna = person(email="anna@example.com")
    org.create("Contact", ANNA)
    sync()
    unsubscribe(anna)
    sync()
    [write] = org.journal(method="PATCH")
    assert write["headers"]["sforce-auto-assign"] == "FALSE"


def test_secrets_are_not_stored_in_the_clear(org, sync):
    sync()
    row = SyncConnection.objects.get()
    assert org.client_secret not in row.secret
    assert row.access_token.startswith("gAAAA")
    assert SyncRecord.objects.count() == OutboxEntry.objects.count() == 0
