"""What goes wrong on the way: nothing is lost, nothing is written twice to harm, and nobody is opted in."""

import datetime as dt

import pytest
from django.utils import timezone

from tests.soak import sized
from tests.unsubscribes.crm.conftest import box, is_out
from unsubscribes.crm import tasks
from unsubscribes.crm.models import OutboxEntry, SyncConnection, SyncCursor, SyncError, SyncRecord
from unsubscribes.crm.reading import pull
from unsubscribes.crm.salesforce import reader
from unsubscribes.crm.writing import settling

ANNA = {"FirstName": "Anna", "LastName": "Berg", "Email": "anna@example.com"}
MANY = sized(600, 5_000)
PASSING = [
    {"do": "drop_before"},
    {"do": "drop_after"},
    {"do": "reset"},
    {"do": "truncate"},
    {"do": "status", "status": 503},
    {"do": "status", "status": 500, "applied": True},
    {"do": "html", "status": 502},
    {"do": "html", "status": 401},
    {"do": "status", "status": 401},
    {"do": "status", "status": 429},
    {"do": "status", "status": 429, "headers": {"Retry-After": "1"}},
    {"do": "status", "status": 406, "body": ""},
    {"do": "status", "status": 302, "headers": {"Location": "http://127.0.0.1:1/"}},
]


@pytest.fixture
def anna(org, sync, person, unsubscribe):
    """Return somebody who is opted out here and not yet there, with her record."""
    anna = person(email="anna@example.com")
    [contact] = org.create("Contact", ANNA)
    sync()
    unsubscribe(anna)
    org.clear_journal()
    return contact


@pytest.mark.parametrize("fault", PASSING, ids=str)
def test_an_opt_out_gets_through(org, sync, anna, fault):
    org.fault(**fault, match={"path": "composite/sobjects"})
    run = sync("push")
    assert (run.state, run.written, run.errors, box(org, anna)) == ("done", 1, 0, True)
    writes = org.journal(method="PATCH")
    assert len(writes) == 2
    assert {entry["headers"]["sforce-auto-assign"] for entry in writes} == {"FALSE"}


@pytest.mark.parametrize("fault", PASSING, ids=str)
def test_an_opt_out_is_heard(org, sync, person, fault):
    anna = person(email="anna@example.com")
    [contact] = org.create("Contact", ANNA)
    sync()
    org.opt_out(contact)
    org.fault(**fault, match={"path": "composite$"})
    run = sync("pull")
    assert (run.state, run.errors, is_out(anna)) == ("done", 0, True)


def test_a_session_that_ends_in_mid_run_costs_one_new_token(org, sync, anna):
    org.expire_tokens()
    assert (sync("push").written, box(org, anna)) == (1, True)
    assert len(org.journal(path="oauth2/token")) == 1


def test_a_refused_sign_in_pauses_and_heals_by_itself(org, sync, anna):
    org.app(client_secret="another")
    org.expire_tokens()
    assert sync("push").state == "failed"
    assert SyncConnection.objects.get().state == "paused_auth"
    assert len(org.journal(path="oauth2/token")) == 1
    org.app(client_secret=org.client_secret)
    assert sync("push").written == 1
    assert (SyncConnection.objects.get().state, box(org, anna)) == ("active", True)


def test_a_used_up_quota_pauses_and_keeps_the_outbox(org, sync, anna):
    org.usage(100_000)
    assert sync("push").state == "failed"
    row = SyncConnection.objects.get()
    assert (row.state, row.paused_until is None) == ("paused_quota", False)
    [entry] = OutboxEntry.objects.all()
    assert (entry.state, entry.attempts, SyncError.objects.count()) == ("retry", 0, 0)
    org.usage(0)
    OutboxEntry.objects.update(due_at=entry.created_at)
    assert (sync("push").written, SyncConnection.objects.get().state) == (1, "active")


def test_a_partial_failure_is_told_by_position(org, sync, person, unsubscribe):
    people = [person(email=f"p{n}@example.com", last_name=f"P{n}") for n in range(5)]
    ids = org.create("Contact", *({"LastName": f"P{n}", "Email": f"p{n}@example.com"} for n in range(5)))
    sync()
    unsubscribe(*people)
    org.record_error("FIELD_CUSTOM_VALIDATION_EXCEPTION", "No.", ids=[ids[2]])
    run = sync("push")
    assert (run.written, run.errors) == (4, 1)
    assert org.opted_out() == set(ids) - {ids[2]}
    [dead] = OutboxEntry.objects.filter(state="dead")
    assert (dead.record.sf_id, dead.code) == (ids[2], "FIELD_CUSTOM_VALIDATION_EXCEPTION")


def test_a_locked_row_is_tried_again(org, sync, anna):
    org.record_error("UNABLE_TO_LOCK_ROW", times=2)
    run = sync("push")
    assert (run.state, run.written, run.errors, box(org, anna)) == ("done", 1, 0, True)
    assert (SyncError.objects.get().state, OutboxEntry.objects.get().attempts) == ("resolved", 2)


def test_an_unknown_error_is_given_up_after_five_tries(org, sync, anna, monkeypatch):
    monkeypatch.setattr(settling, "RETRY_TIME_FACTOR", 0)
    org.record_error("SOMETHING_NEW")
    run = sync("push")
    assert (run.written, run.errors, len(org.journal(method="PATCH"))) == (0, 1, 5)
    assert OutboxEntry.objects.get().state == "dead"


def test_a_box_that_is_cleared_again_and_again_becomes_a_dead_letter(org, sync, anna):
    sync()
    for _clearing in range(3):
        org.opt_out(anna, False, by="automated")
        assert sync().written == 1
    org.opt_out(anna, False, by="automated")
    assert sync().written == 0
    [dead] = OutboxEntry.objects.filter(state="dead")
    assert (dead.code, dead.message) == ("AUTOMATION_KEEPS_CLEARING", org.user_ids()["automated"])


def test_a_hidden_field_stops_the_object_and_not_the_other(org, sync, person):
    anna = person(email="anna@example.com")
    [lead] = org.create("Lead", ANNA | {"Company": "Exempel"})
    org.create("Contact", ANNA | {"Email": "bo@example.com"})
    sync()
    before = SyncCursor.objects.get(sobject="Contact").watermark
    org.access(object="Contact", field="HasOptedOutOfEmail", level="none")
    org.opt_out(lead)
    run = sync("pull")
    assert (run.state, run.errors, is_out(anna)) == ("done", 1, True)
    cursor = SyncCursor.objects.get(sobject="Contact")
    assert (cursor.watermark, cursor.trouble.startswith("INVALID_FIELD")) == (before, True)
    org.access(object="Contact", field="HasOptedOutOfEmail", level="edit")
    assert sync("pull").errors == 0


def test_what_was_in_flight_is_read_once_it_is_committed(org, sync, person):
    anna = person(email="anna@example.com")
    [hers, other] = org.create("Contact", ANNA, {"LastName": "Other"})
    sync()
    flight = org.begin()
    org.opt_out(hers, transaction=flight)
    org.clock(advance=900)
    org.edit(other, {"Title": "Newer"})
    sync("pull")
    org.clock(advance=900)
    sync("pull")
    org.commit(flight)
    sync("pull")
    assert is_out(anna)


@pytest.mark.soak
def test_many_rows_of_one_second_are_all_read(org, sync):
    org.generate("Contact", MANY)
    org.settings(page_size=200)
    sync("pull")
    assert org.edit_where("Contact", "LastName LIKE 'Number%'", {"HasOptedOutOfEmail": True}) == MANY
    org.expire_locators()
    sync("pull")
    assert SyncRecord.objects.filter(opted_out=True).count() == MANY


@pytest.mark.soak
def test_a_crash_after_each_page_skips_no_row_of_one_second(org, sync, monkeypatch):
    org.generate("Contact", MANY)
    org.settings(page_size=200)
    sync("pull")
    org.edit_where("Contact", "LastName LIKE 'Number%'", {"HasOptedOutOfEmail": True})
    take = pull.Pull._take

    def crash(self, *args):
        take(self, *args)
        raise RuntimeError("crash")

    with monkeypatch.context() as broken:
        broken.setattr(pull.Pull, "_take", crash)
        for _page in range(MANY // 200 - 1):
            with pytest.raises(RuntimeError):
                sync("pull")
    assert sync("pull").state == "done"
    assert SyncRecord.objects.filter(opted_out=True).count() == MANY


def test_reading_costs_one_call_a_page(org, sync):
    org.generate("Contact", 1_000)
    sync("pull")
    org.settings(page_size=200)
    org.edit_where("Contact", "LastName LIKE 'Number%'", {"Title": "Chief"})
    assert sync("pull").calls == 5


def test_a_permission_that_was_taken_away_pauses_and_heals(org, sync, person, unsubscribe):
    people = [person(email=f"p{n}@example.com", last_name=f"P{n}") for n in range(6)]
    ids = org.create("Contact", *({"LastName": f"P{n}", "Email": f"p{n}@example.com"} for n in range(6)))
    sync()
    unsubscribe(*people)
    org.access(object="Contact", field="HasOptedOutOfEmail", level="read")
    assert sync("push").state == "failed"
    assert SyncConnection.objects.get().state == "paused_permission"
    assert set(OutboxEntry.objects.values_list("state", flat=True)) == {"retry"}
    org.access(object="Contact", field="HasOptedOutOfEmail", level="edit")
    assert sync("push").written == 6
    assert (SyncConnection.objects.get().state, org.opted_out()) == ("active", set(ids))


def test_a_field_that_is_hidden_while_writing_stops_its_object_alone(org, sync, person, unsubscribe):
    anna = person(email="anna@example.com")
    [contact] = org.create("Contact", ANNA)
    [lead] = org.create("Lead", ANNA | {"Company": "Exempel"})
    sync()
    unsubscribe(anna)
    org.access(object="Contact", field="HasOptedOutOfEmail", level="none")
    sync("push")
    assert (box(org, contact), box(org, lead), SyncError.objects.get().code) == (False, True, "INVALID_FIELD:Contact")
    org.access(object="Contact", field="HasOptedOutOfEmail", level="edit")
    assert (sync("push").written, box(org, contact)) == (1, True)


def test_what_a_rule_refused_is_tried_again_the_next_day(org, sync, anna):
    org.record_error("FIELD_CUSTOM_VALIDATION_EXCEPTION", "No.", times=1)
    assert sync("push").errors == 1
    tasks.sweep_salesforce()
    assert OutboxEntry.objects.get().state == "dead"
    OutboxEntry.objects.update(due_at=timezone.now() - dt.timedelta(hours=25))
    tasks.sweep_salesforce()
    assert (sync("push").written, box(org, anna)) == (1, True)
    assert SyncError.objects.get().state == "resolved"


def test_a_used_up_quota_keeps_the_watermark_and_reading_goes_on_later(org, sync, person):
    anna = person(email="anna@example.com")
    [contact] = org.create("Contact", ANNA)
    sync()
    before = SyncCursor.objects.get(sobject="Contact").watermark
    org.opt_out(contact)
    org.usage(100_000)
    assert sync("pull").state == "failed"
    row = SyncConnection.objects.get()
    assert (row.state, is_out(anna), SyncCursor.objects.get(sobject="Contact").watermark) == (
        "paused_quota", False, before,
    )  # fmt: skip
    org.usage(0)
    assert (sync("pull").state, is_out(anna)) == ("done", True)
    assert SyncConnection.objects.get().state == "active"


def test_an_org_that_refuses_getupdated_is_read_with_a_watermark_ten_minutes_behind(org, sync, person):
    anna = person(email="anna@example.com")
    [contact] = org.create("Contact", ANNA)
    org.fault("status", status=400, code="EXCEEDED_ID_LIMIT", match={"path": "updated", "times": 0})
    org.settings(composite_refuses=["updated"])
    assert sync("pull").state == "done"
    org.opt_out(contact)
    assert (sync("pull").state, is_out(anna)) == ("done", True)
    behind = org.now() - SyncCursor.objects.get(sobject="Contact").watermark
    assert dt.timedelta(minutes=9) < behind < dt.timedelta(minutes=12)


@pytest.mark.soak
def test_an_expired_locator_is_taken_up_behind_the_last_row(org, sync):
    org.generate("Contact", MANY)
    org.settings(page_size=200)
    org.fault("status", status=400, body=[{"errorCode": "INVALID_QUERY_LOCATOR"}], match={"path": "queryAll/.*-400"})
    assert sync("pull").state == "done"
    assert SyncRecord.objects.count() == MANY


def test_a_query_that_takes_too_long_is_cut_into_pieces(org, sync, monkeypatch):
    monkeypatch.setattr(reader, "PIECE", 250)
    sync("pull")
    org.generate("Contact", 600, opted_out_every=1)
    org.settings(composite_refuses=["queryAll"])
    org.fault("status", status=400, code="QUERY_TIMEOUT", match={"path": r"queryAll\?.*Contact"})
    assert sync("pull").state == "done"
    assert SyncRecord.objects.filter(opted_out=True).count() == 600
    assert SyncCursor.objects.get(sobject="Contact").page_id == ""


def test_the_quota_is_watched_while_reading(org, sync):
    org.usage(81_000)
    org.generate("Contact", 10)
    assert sync("pull").message == "ORG_LIMIT_NEAR"
    assert SyncConnection.objects.get().state == "active"


def test_a_lead_keeps_its_owner(org, sync, person, unsubscribe):
    anna = person(email="anna@example.com")
    [lead] = org.create("Lead", ANNA | {"Company": "Exempel"})
    owner = org.record(lead)["OwnerId"]
    org.settings(assignment_owner={"Lead": org.user_ids()["mark"]})
    sync()
    unsubscribe(anna)
    org.expire_tokens()
    sync()
    assert (box(org, lead), org.record(lead)["OwnerId"]) == (True, owner)


NO_ANSWERS = [
    [],
    {},
    [None],
    [{"success": True, "id": None, "errors": []}],
    [{"success": True, "id": "003000000000000AAA", "errors": []}],
    [{"success": "true", "errors": []}],
    [{"success": False}],
]


@pytest.mark.parametrize("body", NO_ANSWERS, ids=str)
def test_what_is_no_answer_about_the_record_settles_nothing(org, sync, anna, body):
    org.fault("status", status=200, body=body, match={"method": "PATCH", "path": "composite/sobjects"})
    sync("push")
    org.clear_faults()
    sync("push")
    assert box(org, anna)


NO_PAGES = [
    {"totalSize": 1, "done": True, "records": []},
    {"totalSize": 1, "done": False, "records": []},
    {"totalSize": 1, "done": True, "records": [None]},
    {"totalSize": 1, "done": True, "records": None},
    {"totalSize": 1, "done": True, "records": [{}]},
    {"done": True},
    [],
]


@pytest.mark.parametrize("body", NO_PAGES, ids=str)
def test_what_is_no_page_of_records_is_not_taken_for_nothing_new(org, sync, person, body):
    anna = person(email="anna@example.com")
    [contact] = org.create("Contact", ANNA)
    sync()
    org.opt_out(contact)
    reached = SyncCursor.objects.get(sobject="Contact").watermark
    org.fault("status", status=200, body=body, match={"path": "queryAll", "inside_composite": True, "times": 0})
    assert sync("pull").state == "failed"
    assert SyncCursor.objects.get(sobject="Contact").watermark == reached
    org.clear_faults()
    sync("pull")
    assert is_out(anna)


def test_a_page_that_brings_fewer_records_than_it_counts_is_not_taken_for_all(org, sync, person):
    anna, bo = person(email="anna@example.com"), person(email="bo@example.com")
    [other] = org.create("Contact", ANNA)
    [contact] = org.create("Contact", {"LastName": "Bo", "Email": "bo@example.com"})
    sync()
    reached = SyncCursor.objects.get(sobject="Contact").watermark
    org.opt_out(contact)
    record = {
        "Id": other, "Email": "anna@example.com", "SystemModstamp": "2026-01-01T00:00:00.000+0000",
        "LastModifiedById": "", "IsDeleted": False, "MasterRecordId": None, "AccountId": None,
        "HasOptedOutOfEmail": False,
    }  # fmt: skip
    body = {"totalSize": 2, "done": True, "records": [record]}
    org.fault("status", status=200, body=body, match={"path": "queryAll", "inside_composite": True, "times": 0})
    assert sync("pull").state == "failed"
    assert SyncCursor.objects.get(sobject="Contact").watermark == reached
    org.clear_faults()
    sync("pull")
    assert is_out(bo)
    assert not is_out(anna)


def test_pages_that_lead_back_to_themselves_end(org, sync, person):
    anna = person(email="anna@example.com")
    [contact] = org.create("Contact", ANNA)
    sync()
    org.opt_out(contact)
    body = {"totalSize": 2000, "done": False, "nextRecordsUrl": "/services/data/v60.0/query/01g-200", "records": []}
    org.fault("status", status=200, body=body, match={"path": "queryAll", "inside_composite": True, "times": 0})
    org.fault("status", status=200, body=body, match={"path": "query/01g", "times": 0})
    run = sync("pull")
    assert (run.state, run.message.split()[0]) == ("failed", "BAD_BODY")
    org.clear_faults()
    sync("pull")
    assert is_out(anna)


def test_a_record_that_cannot_be_read_on_its_way_is_told_and_tried_again(org, sync, anna):
    """Where a record that answers as gone is looked up, and in a dry run, as when everything is read."""
    org.record_error("ENTITY_IS_DELETED", ids=[anna], times=1)
    org.fault("status", status=200, body={"totalSize": 1, "done": True, "records": [{}]}, match={"path": "queryAll"})
    run = sync("push")
    assert (run.state, run.message.split()[0]) == ("failed", "BAD_RECORD")
    org.fault("status", status=200, body={"totalSize": 1, "done": True, "records": [{}]}, match={"path": "queryAll"})
    assert sync(is_dry=True).message.split()[0] == "BAD_RECORD"
    org.clear_faults()
    OutboxEntry.objects.update(state="retry", due_at=timezone.now(), lease=None)
    sync("push")
    assert box(org, anna)
