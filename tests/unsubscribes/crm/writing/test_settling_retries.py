"""How long and how often a record is tried again: nothing is given up too early, and nothing is asked without end."""

import datetime as dt

import pytest
from django.db.models import F, Q
from django.utils import timezone

from tests.unsubscribes.crm.conftest import box
from unsubscribes.crm import tasks
from unsubscribes.crm.models import OutboxEntry, SyncConnection, SyncError, SyncRecord
from unsubscribes.crm.outbox import outbox
from unsubscribes.crm.writing import settling
from unsubscribes.crm.writing.push import retry_dead

ANNA = {"FirstName": "Anna", "LastName": "Berg", "Email": "anna@example.com"}


@pytest.fixture
def anna(org, sync, person, unsubscribe):
    """Return the record of somebody who is opted out here and not yet there."""
    anna = person(email="anna@example.com")
    [contact] = org.create("Contact", ANNA)
    sync()
    unsubscribe(anna)
    org.clear_journal()
    return contact


def passes(hours: float) -> None:
    """Let so many hours pass for all that waits."""
    OutboxEntry.objects.filter(state="retry").update(due_at=F("due_at") - dt.timedelta(hours=hours))


def beat() -> None:
    """Write as the worker does by itself: one turn, no patience."""
    tasks.push_salesforce()


def test_a_row_that_is_locked_for_hours_is_written_when_it_is_free(org, sync, anna):
    """A mass update or a long trigger holds rows for far longer than five tries in half a minute."""
    org.record_error("UNABLE_TO_LOCK_ROW")
    for _turn in range(14):
        beat()
        assert OutboxEntry.objects.get().state == "retry"
        passes(1)
    waits = OutboxEntry.objects.get().due_at - timezone.now()
    assert (SyncError.objects.get().state, waits > dt.timedelta(minutes=-5)) == ("waiting", True)
    org.clear_faults()
    beat()
    assert (box(org, anna), SyncError.objects.get().state) == (True, "resolved")


def test_a_row_that_is_locked_for_ever_is_a_dead_letter_in_the_end(org, sync, anna):
    org.record_error("UNABLE_TO_LOCK_ROW")
    for _turn in range(20):
        beat()
        passes(1)
    assert (OutboxEntry.objects.get().state, SyncError.objects.get().state) == ("dead", "dead")
    assert len(org.journal(method="PATCH")) == 20


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record"),
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "T: UNABLE_TO_LOCK_ROW, unable to obtain exclusive access"),
        ("REQUEST_RUNNING_TOO_LONG", "Your request was running for too long"),
        ("UNKNOWN_EXCEPTION", "An unexpected error occurred."),
    ],
)
def test_what_passes_by_itself_is_no_dead_letter_after_half_a_minute(org, sync, anna, code, message):
    org.record_error(code, message)
    for _turn in range(6):
        beat()
        passes(1)
    org.clear_faults()
    beat()
    assert box(org, anna)


def test_one_stubborn_row_keeps_no_other_from_its_batch(org, sync, anna, person, unsubscribe):
    OutboxEntry.objects.all().delete()
    people = [person(email=f"p{n}@example.com", last_name=f"P{n}") for n in range(40)]
    ids = org.create("Contact", *({"LastName": f"P{n}", "Email": f"p{n}@example.com"} for n in range(40)))
    sync("pull")
    unsubscribe(*people)
    org.record_error("UNABLE_TO_LOCK_ROW", ids=[ids[0]])
    for _turn in range(4):
        beat()
        passes(1)
    OutboxEntry.objects.exclude(state="retry").delete()
    SyncRecord.objects.filter(sf_id__in=ids[1:]).update(opted_out=False)
    outbox.enqueue(list(SyncRecord.objects.filter(sf_id__in=ids[1:]).values_list("pk", flat=True)), True)
    org.clear_journal()
    beat()
    assert len(org.journal(method="PATCH")) == 2


@pytest.mark.parametrize("code", ["INVALID_CROSS_REFERENCE_KEY", "ENTITY_IS_DELETED", "NOT_FOUND"])
def test_a_record_that_only_seems_gone_is_a_counted_failure(org, sync, anna, code):
    org.record_error(code, "Record Type ID: this ID value isn't valid for the user")
    sync()
    assert len(org.journal(method="PATCH")) == 1
    assert (SyncError.objects.get().code, SyncError.objects.get().state) == (code, "waiting")
    for _turn in range(6):
        beat()
        sync("pull")
        passes(1)
    assert len(org.journal(method="PATCH")) == 5
    [entry] = OutboxEntry.objects.exclude(state="superseded")
    assert (entry.state, entry.code, SyncError.objects.get().state) == ("dead", code, "dead")
    org.clear_faults()
    retry_dead(Q())
    beat()
    assert (box(org, anna), SyncError.objects.get().state) == (True, "resolved")


def test_a_manual_run_does_not_ask_without_end(org, sync, anna, monkeypatch):
    monkeypatch.setattr(settling, "RETRY_TIME_FACTOR", 0)
    org.record_error("UNABLE_TO_LOCK_ROW")
    sync()
    assert len(org.journal()) < 20


def test_a_record_that_is_merely_hidden_is_not_taken_for_deleted(org, sync, anna):
    org.clock(advance=120)
    org.hide(anna)
    sync(full=True)
    record = SyncRecord.objects.get()
    assert (record.deleted, SyncError.objects.get().state) == (False, "dead")
    org.hide(anna, False)
    retry_dead(Q())
    assert (sync("push").written, box(org, anna)) == (1, True)


def test_what_is_deleted_for_good_is_found_to_be_so_by_reading_everything(org, sync, anna):
    org.clock(advance=120)
    org.delete(anna, hard=True)
    sync("pull", full=True)
    assert SyncRecord.objects.get().deleted


def test_an_id_that_never_was_is_a_dead_letter(org, sync, person, unsubscribe):
    bo = person(email="bo@example.com", last_name="Bo", salesforce_id="003000000000999AAA")
    sync()
    unsubscribe(bo)
    for _turn in range(6):
        beat()
        passes(1)
    assert (OutboxEntry.objects.get().state, SyncError.objects.get().state) == ("dead", "dead")


def test_a_record_that_spoils_its_request_is_found_and_the_others_are_written(org, sync, person, unsubscribe):
    people = [person(email=f"p{n}@example.com", last_name=f"P{n}") for n in range(30)]
    ids = org.create("Contact", *({"LastName": f"P{n}", "Email": f"p{n}@example.com"} for n in range(30)))
    sync()
    unsubscribe(*people)
    poison = {"method": "PATCH", "path": "composite/sobjects", "body": ids[17], "times": 0}
    org.fault("status", status=400, code="JSON_PARSER_ERROR", match=poison)
    org.clear_journal()
    beat()
    assert org.opted_out() == set(ids) - {ids[17]}
    assert (SyncError.objects.get().sf_id, len(org.journal(method="PATCH")) < 12) == (ids[17], True)


def test_an_org_that_refuses_every_request_is_not_asked_without_end(org, sync, person, unsubscribe):
    people = [person(email=f"p{n}@example.com", last_name=f"P{n}") for n in range(30)]
    org.create("Contact", *({"LastName": f"P{n}", "Email": f"p{n}@example.com"} for n in range(30)))
    sync()
    unsubscribe(*people)
    match = {"method": "PATCH", "path": "composite/sobjects", "times": 0}
    org.fault("status", status=400, code="JSON_PARSER_ERROR", match=match)
    org.clear_journal()
    beat()
    beat()
    assert len(org.journal()) < 30
    org.clear_faults()
    passes(1)
    beat()
    assert len(org.opted_out()) > 25


def test_a_quota_that_a_record_tells_of_is_no_fault_of_the_record(org, sync, anna):
    org.record_error("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", times=1)
    assert sync("push").state == "failed"
    assert (SyncConnection.objects.get().state, OutboxEntry.objects.get().attempts) == ("paused_quota", 0)
    assert (sync("push").written, box(org, anna)) == (1, True)
