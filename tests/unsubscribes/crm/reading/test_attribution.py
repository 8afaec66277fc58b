"""Who opted out and when, by the history of Salesforce; and people who are accounts."""

import pytest

from contacts.models import ContactEvent
from salesconnect.common.history_words import reason_words
from tests.unsubscribes.crm.conftest import box, is_out
from unsubscribes.crm.models import SyncConnection, SyncError, SyncRecord
from unsubscribes.crm.salesforce import preflight
from unsubscribes.crm.salesforce.provider import Salesforce
from unsubscribes.crm.values import WriteLimits
from unsubscribes.crm.writing import jobs

ANNA = {"FirstName": "Anna", "LastName": "Berg", "Email": "anna@example.com"}
KEPT = {"Contact": ["HasOptedOutOfEmail"], "Lead": ["HasOptedOutOfEmail"]}


def reason_of(person) -> str:
    [event] = ContactEvent.objects.filter(contact_id=person.pk, action="unsubscribed")
    return event.changes["reason"][1]


@pytest.fixture
def anna(org, sync, person):
    """Return somebody and her record, both known to the sync."""
    someone = person(email="anna@example.com")
    [contact] = org.create("Contact", ANNA)
    sync()
    return someone, contact


def test_the_history_tells_who_opted_out_and_when(org, sync, anna, connected):
    person, contact = anna
    org.settings(history=KEPT)
    preflight.check(connected)
    org.opt_out(contact, by="mark")
    at = f"{org.now():%Y-%m-%d %H:%M}"
    org.clock(advance=120)
    org.edit(contact, {"Title": "Chief"}, by="sally")
    run = sync("pull")
    assert reason_of(person) == f"In Salesforce by Mark, {at} UTC"
    assert reason_words(reason_of(person)).startswith("In Salesforce by Mark, ")
    assert run.calls == 3
    assert sync("pull").calls == 1


def test_without_a_history_the_last_change_is_the_latest_moment(org, sync, anna):
    person, contact = anna
    org.opt_out(contact, by="mark")
    at = f"{org.now():%Y-%m-%d %H:%M}"
    assert sync("pull").calls == 1
    mark = org.user_ids()["mark"]
    assert reason_of(person) == f"In Salesforce, {at} UTC at the latest; the record was last changed by {mark}"
    assert "at the latest" in reason_words(reason_of(person))


def test_who_was_created_opted_out_has_no_history_and_is_opted_out_all_the_same(org, sync, connected, person):
    org.settings(history=KEPT)
    preflight.check(connected)
    sync()
    anna = person(email="anna@example.com")
    org.create("Contact", ANNA | {"HasOptedOutOfEmail": True}, by="sally")
    sync("pull")
    assert is_out(anna)
    assert reason_of(anna).endswith(f"last changed by {org.user_ids()['sally']}")


def test_a_history_that_was_switched_off_keeps_nobody_waiting(org, sync, anna):
    person, contact = anna
    SyncConnection.objects.update(history_of=["Contact"])
    org.opt_out(contact)
    assert (sync("pull").state, is_out(person)) == ("done", True)


@pytest.fixture
def account(org, connected, sync, person):
    """Return somebody who is an account in Salesforce, with the ids of contact and account."""
    org.settings(person_accounts=True)
    [contact] = org.create("Contact", ANNA | {"IsPersonAccount": True})
    [owner] = org.create("Account", {"Name": "Anna Berg", "IsPersonAccount": True, "PersonContactId": contact})
    org.edit(contact, {"AccountId": owner})
    [line] = [line for line in preflight.check(connected) if line.what == "Person accounts"]
    assert (line.ok, "written on the account" in line.found) == (True, True)
    someone = person(email="anna@example.com")
    sync()
    return someone, contact, owner


def test_a_person_account_is_opted_out_on_its_account(org, sync, account, unsubscribe):
    person, contact, owner = account
    unsubscribe(person)
    run = sync()
    assert (run.written, run.errors, run.calls, box(org, contact)) == (1, 0, 2, True)
    assert org.record(owner, "PersonHasOptedOutOfEmail")["PersonHasOptedOutOfEmail"] is True
    assert sync().written == 0


def test_a_person_account_that_is_opted_out_there_is_so_here(org, sync, account):
    person, _contact, owner = account
    org.edit(owner, {"PersonHasOptedOutOfEmail": True})
    sync()
    assert is_out(person)


def test_a_new_consent_clears_the_account(org, sync, account, unsubscribe, consent):
    person, contact, _owner = account
    unsubscribe(person)
    sync()
    consent(person)
    assert (sync().errors, box(org, contact), is_out(person)) == (0, False, False)


def test_accounts_go_by_bulk_in_a_job_of_their_own(org, sync, account, unsubscribe, person, monkeypatch):  # noqa: PLR0917
    monkeypatch.setattr(Salesforce, "limits", WriteLimits(batch=200, jobs_above=1, job=10_000))
    monkeypatch.setattr(jobs, "POLLS", (0.3,) * 100)
    bo = person(email="bo@example.com", last_name="Bo")
    [his] = org.create("Contact", {"LastName": "Bo", "Email": "bo@example.com"})
    sync("pull")
    unsubscribe(account[0], bo)
    run = sync("push")
    assert (run.written, run.errors, box(org, account[1]), box(org, his)) == (2, 0, True, True)
    assert len(org.journal(method="POST", path="jobs/ingest")) == 2


def test_a_hidden_field_of_accounts_stops_accounts_alone(org, sync, account, unsubscribe, person):
    bo = person(email="bo@example.com", last_name="Bo")
    [his] = org.create("Contact", {"LastName": "Bo", "Email": "bo@example.com"})
    sync("pull")
    org.access(object="Account", field="PersonHasOptedOutOfEmail", level="none")
    unsubscribe(account[0], bo)
    sync("push")
    assert (box(org, his), box(org, account[1])) == (True, False)
    assert SyncError.objects.get().code == "INVALID_FIELD:Account"
    org.access(object="Account", field="PersonHasOptedOutOfEmail", level="edit")
    assert (sync("push").written, box(org, account[1])) == (1, True)
    assert SyncRecord.objects.get(sf_id=account[1]).person_account
