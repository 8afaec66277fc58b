"""Opt-outs, consents and clocks: who said what last, and who only seems to have."""

import datetime as dt

import pytest
import time_machine

from compliance.models import Suppression
from compliance.suppression import suppression
from contacts.models import Contact
from tests.soak import sized
from tests.unsubscribes.crm.conftest import box, is_out
from unsubscribes.crm.models import OutboxEntry, SyncConnection, SyncError, SyncRecord
from unsubscribes.crm.outbox import outbox
from unsubscribes.crm.salesforce.provider import Salesforce
from unsubscribes.crm.values import WriteLimits
from unsubscribes.crm.writing import jobs

ANNA = {"FirstName": "Anna", "LastName": "Berg", "Email": "anna@example.com"}


@pytest.fixture
def anna(org, sync, person, unsubscribe):
    """Return somebody who is opted out on both sides, with her record."""
    anna = person(email="anna@example.com")
    [contact] = org.create("Contact", ANNA)
    sync()
    unsubscribe(anna)
    sync()
    return anna, contact


def test_no_yes_no_within_one_window_is_a_no(org, sync, anna, unsubscribe, consent):
    person, contact = anna
    consent(person)
    unsubscribe(person)
    sync()
    assert (is_out(person), box(org, contact)) == (True, True)


def test_no_and_yes_before_anything_was_pushed_is_a_yes(org, sync, person, unsubscribe, consent):
    anna = person(email="anna@example.com")
    [contact] = org.create("Contact", ANNA)
    sync()
    unsubscribe(anna)
    consent(anna)
    sync()
    assert (is_out(anna), box(org, contact)) == (False, False)


def test_a_pull_before_the_push_does_not_take_the_old_no_for_a_new_one(org, sync, anna, consent):
    person, contact = anna
    consent(person)
    sync("pull")
    assert not is_out(person)
    sync("push")
    assert (is_out(person), box(org, contact)) == (False, False)


@pytest.mark.parametrize("minutes", [-10, 10])
def test_no_clock_of_ours_decides(org, sync, person, consent, minutes):
    org.clock(offset=minutes * 60)
    anna = person(email="anna@example.com")
    [contact] = org.create("Contact", ANNA)
    sync()
    org.opt_out(contact)
    sync()
    assert is_out(anna)
    consent(anna)
    sync()
    assert (is_out(anna), box(org, contact)) == (False, False)
    org.clock(advance=5)
    org.opt_out(contact)
    sync()
    assert (is_out(anna), box(org, contact)) == (True, True)


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_wrong_clock_of_our_own_decides_nothing(org, sync, person, consent, minutes):
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes), tick=True):
        anna = person(email="anna@example.com")
        [contact] = org.create("Contact", ANNA)
        sync()
        org.opt_out(contact)
        assert (sync().state, is_out(anna)) == ("done", True)
        consent(anna)
        sync()
        assert (is_out(anna), box(org, contact)) == (False, False)
        org.clock(advance=5)
        org.opt_out(contact)
        sync()
        assert (is_out(anna), box(org, contact)) == (True, True)


def test_a_clock_that_is_set_between_consent_and_sync_costs_no_opt_out(org, sync, anna, consent):
    """The consent's age is told by our clock, the opt-out's by theirs: a jump must not make a new no look old."""
    person, contact = anna
    consent(person)
    org.clock(advance=3)
    org.opt_out(contact)
    org.clock(advance=600)
    sync()
    assert (is_out(person), box(org, contact)) == (True, True)


def test_who_edits_between_reading_and_writing_is_read_again(org, sync, anna, consent):
    person, contact = anna
    consent(person)
    org.fault("status", status=412, body="", match={"method": "PATCH", "path": f"Contact/{contact}"})
    run = sync("push")
    assert (run.state, box(org, contact), is_out(person)) == ("done", False, False)


def test_an_overruled_consent_is_on_the_list_of_conflicts(org, sync, anna, consent):
    person, contact = anna
    consent(person)
    org.clock(advance=10)
    org.opt_out(contact)
    sync("pull")
    assert (is_out(person), box(org, contact)) == (True, True)
    assert (SyncError.objects.get().code, Suppression.objects.get().source) == ("OPT_OUT_WINS", "salesforce_sync")
    assert not OutboxEntry.objects.filter(state__in=("pending", "retry"), desired=False).exists()


def test_a_consent_that_a_rule_refuses_stays_a_consent_here(org, sync, anna, consent):
    person, contact = anna
    org.record_error("FIELD_CUSTOM_VALIDATION_EXCEPTION", "No.", times=1)
    consent(person)
    assert sync().errors == 1
    sync(full=True)
    assert (is_out(person), box(org, contact)) == (False, True)


def test_whoever_was_created_opted_out_is_opted_out(org, sync, person):
    anna = person(email="anna@example.com")
    sync()
    org.create("Contact", ANNA | {"HasOptedOutOfEmail": True})
    sync()
    assert is_out(anna)


def test_an_address_without_a_person_is_opted_out_too(org, sync, person, unsubscribe):
    """An opt-out by a link reaches Salesforce also when nobody here has the address any more."""
    anna = person(email="anna@example.com")
    [contact] = org.create("Contact", ANNA)
    unsubscribe(anna)
    anna.delete()
    sync()
    assert box(org, contact)


def test_comparing_everything_finds_nothing_to_correct(org, sync, anna):
    SyncConnection.objects.update(reconciled_at=None)
    assert (sync(full=True).state, sync().written) == ("done", 0)
    run = sync()
    assert run.corrections == 0


@pytest.mark.soak
def test_thousands_go_by_bulk(org, sync, monkeypatch):
    number = sized(60, 5_000)
    monkeypatch.setattr(Salesforce, "limits", WriteLimits(batch=200, jobs_above=number // 2, job=10_000))
    monkeypatch.setattr(jobs, "POLLS", (0.3,) * 100)
    org.generate("Contact", number)
    sync()
    hashes = SyncRecord.objects.values_list("address_hash", flat=True)
    suppression.suppress_hashes(list(hashes), source="manual")
    [first] = org.records("SELECT Id FROM Contact WHERE Email = 'person1@example.com'")
    org.record_error("FIELD_CUSTOM_VALIDATION_EXCEPTION", "No.", ids=[first["Id"]])
    run = sync("push")
    assert (run.state, run.written, run.errors) == ("done", number - 1, 1)
    assert len(org.opted_out()) == number - 1
    assert len(org.journal(method="POST", path="jobs/ingest")) == 1
    assert org.journal(path="composite/sobjects") == []


def test_writing_costs_one_call_for_200(org, sync):
    org.generate("Contact", 450)
    sync()
    suppression.suppress_hashes(list(SyncRecord.objects.values_list("address_hash", flat=True)), source="manual")
    run = sync("push")
    assert (run.written, run.calls) == (450, 3)


def test_people_who_exist_only_in_salesforce_come_in_where_that_is_wanted(org, sync, person):
    org.create("Contact", ANNA, {"LastName": "No Address"}, {"LastName": "Out", "Email": "out@example.com"})
    org.create("Lead", ANNA | {"Company": "Exempel AB"})
    org.opt_out([row["Id"] for row in org.records("SELECT Id FROM Contact WHERE LastName = 'Out'")])
    assert (sync().state, Contact.objects.count()) == ("done", 0)
    SyncConnection.objects.update(create_people=True)
    sync(full=True)
    rows = Contact.objects.order_by("email_key").values_list("email_key", "card__source_type", "card__unsubscribed")
    assert list(rows) == [("anna@example.com", 1, False), ("out@example.com", 1, True)]
    assert SyncRecord.objects.filter(contact_id=None).count() == 1


def clear_until_it_is_given_up(org, sync, contact):
    """Let automation in Salesforce clear the box until the sync leaves it alone."""
    for _clearing in range(4):
        org.opt_out(contact, False, by="automated")
        sync()
    assert OutboxEntry.objects.get(state="dead").code == "AUTOMATION_KEEPS_CLEARING"


def test_a_no_after_a_new_consent_is_pushed_though_the_box_was_given_up_before(org, sync, anna, consent, unsubscribe):
    """What a person says anew has nothing to do with how often automation cleared the old opt-out."""
    person, contact = anna
    clear_until_it_is_given_up(org, sync, contact)
    consent(person)
    sync()
    assert not OutboxEntry.objects.filter(state="dead").exists()
    assert SyncError.objects.get(code="AUTOMATION_KEEPS_CLEARING").state == "resolved"
    unsubscribe(person)
    assert sync().written == 1
    assert box(org, contact)


def test_yes_and_no_between_two_syncs_begin_the_count_anew_too(org, sync, anna, consent, unsubscribe):
    person, contact = anna
    clear_until_it_is_given_up(org, sync, contact)
    consent(person)
    unsubscribe(person)
    sync()
    assert box(org, contact)


def test_a_box_that_is_left_alone_never_is_so_without_a_dead_letter(org, sync, anna):
    """Also when the entry is skipped long after the record was read: by linking, by an erasure, by a second address."""
    _person, contact = anna
    clear_until_it_is_given_up(org, sync, contact)
    record = SyncRecord.objects.get()
    OutboxEntry.objects.filter(state="dead").delete()
    SyncError.objects.all().delete()
    assert outbox.enqueue([record.pk], True) == 0
    assert (OutboxEntry.objects.get(state="dead").record, SyncError.objects.get().state) == (record, "dead")
    outbox.enqueue([record.pk], True)
    assert SyncError.objects.get().count == 1


def test_a_refused_consent_is_void_once_the_person_says_no_again(org, sync, anna, consent, unsubscribe):
    person, contact = anna
    org.record_error("FIELD_CUSTOM_VALIDATION_EXCEPTION", "No.", times=1)
    consent(person)
    assert sync().errors == 1
    unsubscribe(person)
    sync()
    assert not OutboxEntry.objects.filter(state="dead").exists()
    org.clock(advance=5)
    org.opt_out(contact)
    sync()
    assert not SyncError.objects.filter(code="OPT_OUT_WINS").exists()
