"""The Sync page and the lists behind it: what they say, to whom, and with how many queries."""

# ruff: noqa: F811 - the fixtures of the sync are imported by name

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from compliance.suppression import suppression
from tests.unsubscribes.crm.conftest import box, connected, consent, org, running_org, sync, unsubscribe  # noqa: F401
from unsubscribes.crm import tasks
from unsubscribes.crm.models import OutboxEntry, SyncConnection, SyncCursor, SyncError, SyncRecord, SyncRun
from unsubscribes.crm.provider_errors import ErrorKind, ProviderError
from unsubscribes.crm.runs import pausing

ANNA = {"FirstName": "Anna", "LastName": "Berg", "Email": "anna@example.com"}


@pytest.fixture
def refused(org, sync, person, unsubscribe):
    """Return a person whose opt-out Salesforce refuses, with the record's id."""
    anna = person(email="anna@example.com")
    [hers] = org.create("Contact", ANNA)
    sync()
    unsubscribe(anna)
    org.record_error("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Opt-outs need a reason.", times=1)
    sync()
    return anna, hers


def text(client: Client, name: str, *args: object, **query: str) -> str:
    answer = client.get(reverse(name, args=args), query)
    assert answer.status_code == 200, answer.status_code
    return " ".join(answer.content.decode().split())


def test_whoever_may_not_connect_is_told_who_may(signed_in, db):
    assert "An administrator can connect it" in text(signed_in, "sync")


def test_all_is_well_is_said_first(administrating, org, sync):
    org.create("Contact", ANNA)
    sync()
    shown = text(administrating, "sync")
    assert "All is well. Nothing waits to be written to Salesforce." in shown
    assert "Sync now" in shown


def test_what_was_refused_is_told_in_plain_words_and_tried_again(administrating, org, sync, refused):
    anna, hers = refused
    shown = text(administrating, "sync")
    assert "1 opt-out could not be written and waits for an administrator." in shown
    assert "A validation rule refuses the record" in shown
    listed = text(administrating, "salesforce-errors", code="FIELD_CUSTOM_VALIDATION_EXCEPTION")
    assert ("Opt-outs need a reason." in listed, "Anna Berg" in listed or str(anna) in listed) == (True, True)
    assert hers in text(administrating, "salesforce-records", show="dead")
    administrating.post(reverse("salesforce-retry", args=[SyncError.objects.get().pk]))
    assert (sync().written, box(org, hers)) == (1, True)
    assert "All is well." in text(administrating, "sync")


def test_all_that_was_given_up_is_tried_again_at_once(administrating, org, sync, refused):
    administrating.post(reverse("salesforce-retry-all"))
    assert (sync().written, box(org, refused[1])) == (1, True)


def test_a_record_is_found_by_person_and_by_id(administrating, org, sync, refused):
    anna, hers = refused
    for search in (hers, hers[:15], "ann", "anna@example.com"):
        assert hers in text(administrating, "salesforce-records", search=search)
    assert "Nothing matches" in text(administrating, "salesforce-records", search="nobody")
    shown = text(administrating, "salesforce-record", hers)
    assert ("Given up: A validation rule refuses the record" in shown, str(anna) in shown) == (True, True)
    assert administrating.get(reverse("salesforce-record", args=["003000000000000AAA"])).status_code == 404


def test_records_of_nobody_and_of_two_people_are_listed(administrating, org, sync, person):
    [nobody, two] = org.create("Contact", ANNA | {"Email": "nobody@example.com"}, ANNA)
    person(email="bo@example.com", salesforce_id=two)
    person(email="anna@example.com")
    sync()
    unmatched, ambiguous = (
        text(administrating, "salesforce-records", show=show) for show in ("unmatched", "ambiguous")
    )
    assert (nobody in unmatched, two in unmatched) == (True, False)
    assert (nobody in ambiguous, two in ambiguous) == (False, True)


def test_an_overruled_consent_is_a_conflict(administrating, org, sync, person, unsubscribe, consent):  # noqa: PLR0917
    anna = person(email="anna@example.com")
    [hers] = org.create("Contact", ANNA)
    unsubscribe(anna)
    sync()
    consent(anna)
    org.clock(advance=10)
    org.opt_out(hers)
    sync("pull")
    assert "A newer opt-out in Salesforce overruled a new consent" in text(administrating, "sync")
    assert hers in text(administrating, "salesforce-errors", show="conflicts")
    administrating.post(reverse("salesforce-retry", args=[SyncError.objects.get().pk]))
    assert SyncError.objects.get().state == "resolved"


@pytest.mark.parametrize(
    ("kind", "code", "words"),
    [
        (ErrorKind.AUTH, "invalid_client", "Salesforce does not know the app or its secret"),
        (ErrorKind.QUOTA, "REQUEST_LIMIT_EXCEEDED", "API calls of the day are used up"),
        (ErrorKind.PERMISSION, "API_DISABLED_FOR_ORG", "may not use the API"),
        (ErrorKind.AUTH, "SOMETHING_NEW", "Salesforce refuses it"),
    ],
)
def test_a_pause_says_why_and_until_when(administrating, sync, kind, code, words):
    sync()
    pausing.pause(ProviderError(kind, code, "Said by Salesforce."))
    assert (words in text(administrating, "sync"), "It is tried again at" in text(administrating, "sync")) == (
        True,
        True,
    )
    assert words in text(administrating, "salesforce-settings")


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda: SyncConnection.objects.update(state="paused"), "paused by hand"),
        (lambda: SyncConnection.objects.update(state="off"), "not active yet"),
        (lambda: SyncCursor.objects.filter(sobject="Lead").update(trouble="INVALID_FIELD: x"), "Lead cannot be read"),
        (lambda: SyncCursor.objects.update(watermark=None), "read for the first time"),
        (lambda: SyncCursor.objects.update(watermark=ago(40), last_success_at=ago(40)), "Reading Salesforce is late"),
        (lambda: SyncCursor.objects.update(watermark=ago(90), moved_at=ago(90)), "holds Contact, Lead back"),
        (lambda: OutboxEntry.objects.update(state="retry", created_at=ago(20)), "Writing to Salesforce is late"),
    ],
)
def test_what_is_not_well_is_said_first(administrating, org, sync, person, unsubscribe, harm, words):  # noqa: PLR0917
    anna = person(email="anna@example.com")
    org.create("Contact", ANNA)
    unsubscribe(anna)
    sync()
    harm()
    assert words in text(administrating, "sync")


def ago(minutes: int) -> dt.datetime:
    return timezone.now() - dt.timedelta(minutes=minutes)


def test_sync_now_and_a_dry_run_show_how_far_they_are(administrating, org, sync):
    org.create("Contact", ANNA)
    for posted, words in (({}, "Nothing failed."), ({"dry_run": "1"}, "Nothing was changed.")):
        shown = administrating.post(reverse("salesforce-now"), posted, follow=True).content.decode()
        run = SyncRun.objects.latest("pk")
        assert ("It begins as soon as a worker is free" in shown, 'hx-trigger="every 1s"' in shown) == (True, True)
        tasks.run_salesforce(run.pk)
        assert words in text(administrating, "salesforce-run", run.pk)


def test_runs_are_listed_by_kind(administrating, org, sync, refused):
    shown = [text(administrating, "salesforce-runs", show=show) for show in ("", "changed", "failed", "dry")]
    assert [each.count("row-link") for each in shown] == [2, 1, 0, 0]
    assert administrating.get(reverse("salesforce-runs"), {"show": "nonsense"}).status_code == 400


LISTS = [
    ("sync", {}),
    ("salesforce-runs", {}),
    ("salesforce-errors", {}),
    ("salesforce-records", {}),
    ("salesforce-records", {"show": "dead"}),
]


@pytest.mark.parametrize(("name", "query"), LISTS)
def test_more_rows_take_no_more_queries(administrating, org, sync, person, unsubscribe, name, query):  # noqa: PLR0917
    numbers = []
    for place in range(3):
        anna = person(email=f"p{place}@example.com", last_name=f"P{place}")
        org.create("Contact", ANNA | {"Email": anna.email})
        sync("pull")
        unsubscribe(anna)
        org.record_error("FIELD_CUSTOM_VALIDATION_EXCEPTION", "No.", times=1)
        sync("push")
        with CaptureQueriesContext(connection) as queries:
            text(administrating, name, **query)
        numbers.append(len(queries))
    assert numbers[0] == numbers[2]
    assert SyncError.objects.count() == 3


def test_long_lists_go_page_by_page(administrating, org, sync):
    org.generate("Contact", 120)
    sync("pull")
    seen, url = set(), reverse("salesforce-records")
    while url:
        context = administrating.get(url).context
        seen |= {row.pk for row, _person, _entry in context["found"]}
        url = context["next_url"] and reverse("salesforce-records") + context["next_url"]
    assert len(seen) == SyncRecord.objects.count() == 120


def test_the_comparison_shows_its_corrections(administrating, org, sync):
    [hers] = org.create("Contact", ANNA)
    sync()
    org.clock(advance=3_600)
    sync("pull")
    SyncRecord.objects.filter(sf_id=hers).update(opted_out=True)
    SyncConnection.objects.update(reconciled_at=ago(60 * 24 * 8))
    tasks.pull_salesforce()
    assert SyncRun.objects.get(kind="reconcile").corrections == 1
    assert "should be 0" in text(administrating, "sync")


def test_people_are_found_by_what_they_were_suppressed_for(administrating, org, sync):
    """An address without a person has no name to be searched by: its record shows that nobody is here."""
    [hers] = org.create("Contact", ANNA)
    sync("pull")
    suppression.suppress_hashes(list(SyncRecord.objects.values_list("address_hash", flat=True)), source="manual")
    sync("push")
    assert "Nobody here" in text(administrating, "salesforce-record", hers)


def test_the_persons_card_tells_what_salesforce_has(administrating, org, sync, refused):
    anna, hers = refused
    shown = text(administrating, "person", anna.pk)
    assert (f'href="{org.url}/{hers}"' in shown, "Not opted out" in shown) == (True, True)
    assert "Given up: A validation rule refuses the record" in shown
    administrating.post(reverse("salesforce-retry-all"))
    sync()
    shown = text(administrating, "person", anna.pk)
    assert ("Opted out" in shown, "Given up" in shown) == (True, False)


def test_a_person_without_a_record_has_a_card_that_says_so(administrating, sync, person):
    assert "No Contact or Lead in Salesforce belongs to this person." in text(administrating, "person", person().pk)


def test_without_a_connection_the_person_has_no_such_card(administrating, person):
    assert 'id="salesforce"' not in text(administrating, "person", person().pk)


def test_more_records_of_a_person_take_no_more_queries(administrating, org, sync, person, unsubscribe):
    anna = person(email="anna@example.com")
    numbers = []
    for _record in range(3):
        org.create("Contact", ANNA)
        sync("pull")
        with CaptureQueriesContext(connection) as queries:
            text(administrating, "person", anna.pk)
        numbers.append(len(queries))
    assert numbers[0] == numbers[2]
