import datetime as dt
import re

import pytest
from django.utils import timezone

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization, Source
from compliance.card.source_registry import SourceType
from compliance.models import ComplianceCard
from compliance.review import review
from contacts.models import Contact
from contacts.models.seal import Verification
from exports.models import RecordCheck
from exports.requests import register
from salesconnect.pages.compliance.status_items import current_status
from unsubscribes.models import SyncConnection


def told() -> dict[str, tuple[str, bool]]:
    return {duty.label: (duty.text, duty.bad) for duty in current_status().all}


def test_a_history_that_was_bent_is_a_concern(db):
    assert told()["History"] == ("Not verified yet. Runs weekly or on demand.", False)
    now = timezone.now()
    Verification.objects.create(actor_name="", finished_at=now, events=1_234, good=True)
    text, bad = told()["History"]
    assert text.startswith("1,234 events verified on ")
    assert not bad
    Verification.objects.create(actor_name="", finished_at=now, good=False, problem="changed", bad_event=7)
    assert told()["History"] == ("This event was changed. It is event 7.", True)
    assert [concern.text for concern in current_status().concerns] == [
        "History: This event was changed. It is event 7."
    ]


def test_records_that_differ_are_a_concern(db):
    assert told()["Stored records"] == ("Not checked yet. Runs every night.", False)
    now, one = timezone.now(), {"check": "tallies", "example": "x", "mended": 1}
    RecordCheck.objects.create(finished_at=now)
    text, bad = told()["Stored records"]
    assert (text.endswith(": all records agree."), bad) == (True, False)
    RecordCheck.objects.create(finished_at=now, found=3, left=0, differences=[one | {"count": 3, "left": 0}])
    text, bad = told()["Stored records"]
    assert text.endswith("3 differences were put right (Kinds of people whose kept number is wrong: 3).")
    assert not bad
    RecordCheck.objects.create(finished_at=now, found=3, left=1, differences=[one | {"count": 3, "left": 1}])
    text, bad = told()["Stored records"]
    assert text.endswith("1 difference (Kinds of people whose kept number is wrong: 1).")
    assert bad


def test_the_sync_is_told_of_where_there_is_one(db):
    assert "Salesforce" not in told()
    SyncConnection.objects.create(pk=1, state="paused_auth", login_url="https://x.example", client_id="x", secret="x")
    text, bad = told()["Salesforce"]
    assert text.startswith("Paused: Salesforce refuses the sign-in.")
    assert bad


@pytest.mark.parametrize(("days", "bad"), [(1, False), (60, True)])
def test_whoever_must_be_told_counts_and_after_a_month_is_a_concern(person, days, bad):
    anna = person(email="a@example.com", source=Source(SourceType.IMPORT))
    Contact.objects.filter(pk=anna.pk).update(created_at=timezone.now() - dt.timedelta(days=days))
    text, is_bad = told()["Information duty (art. 14)"]
    assert text.startswith("1 person must be informed")
    assert is_bad is bad


def test_a_concern_stands_in_the_first_lines_of_the_page(signed_in, person):
    person(email="a@example.com")
    Verification.objects.create(actor_name="", finished_at=timezone.now(), good=False, problem="link", bad_event=None)
    page = signed_in.get("/compliance/").content.decode()
    assert "2 things need attention" in page
    assert "<li>History: The seal of this event is not linked to the one before.</li>" in page


def rows_of(client, url: str) -> int:
    """Return how many people or requests the list behind an address has."""
    body = re.search(r"<tbody>(.*)</tbody>", client.get(url).content.decode(), re.DOTALL)
    return body[1].count("<tr>") if body else 0


def test_every_number_of_a_queue_is_as_long_as_the_list_it_leads_to(signed_in, person, member):
    today, long_ago = timezone.localdate(), timezone.now() - dt.timedelta(days=60)
    anna, lars = (person(email=f"{name}@example.com", source=Source(SourceType.IMPORT)) for name in ("anna", "lars"))
    Contact.objects.filter(pk=anna.pk).update(created_at=long_ago)
    for number in range(3):
        interest = Authorization(AuthorizationType.LEGITIMATE_INTEREST)
        someone = person(email=f"{number}@example.com", authorization=interest)
        ComplianceCard.objects.filter(pk=someone.pk).update(basis_since=today - dt.timedelta(days=(number // 2) * 900))
    for received, act in ((today, "open"), (today - dt.timedelta(90), "open"), (today, "pause"), (today, "finish")):
        row = register.take_in("access", lars.pk, received, actor=member)
        if act == "pause":
            register.pause(row.pk, register.ClockReason("identity", "Who is it?", today), actor=member)
        if act == "finish":
            register.finish(row.pk, "carried_out", "Sent", actor=member)
    shown = [(duty.text, duty.url) for duty in current_status().all] + [
        (duty.late, duty.late_url) for duty in current_status().all
    ]
    counted = {url: int(re.match("[0-9]+", text)[0]) for text, url in shown if url}
    assert counted == {url: rows_of(signed_in, url) for url in counted}
    assert sorted(counted.values()) == [1, 1, 1, 2, 3]


def test_of_the_old_consents_it_says_how_many_the_review_lists(signed_in, person, member):
    old = Authorization(AuthorizationType.CONSENT, consent_date=dt.date(2020, 1, 1), consent_purpose="Newsletter")
    for name in "abc":
        person(email=f"{name}@example.com", authorization=old)
    review.mark(Contact.objects.filter(email="a@example.com"), actor=member)
    page = " ".join(re.sub("<[^>]+>", " ", signed_in.get("/compliance/").content.decode()).split())
    assert "Old consents 3 2 due for review" in page
    assert rows_of(signed_in, "/people/?consent_before=2024-01-01") == 3
    listed = " ".join(re.sub("<[^>]+>", " ", signed_in.get("/compliance/review/").content.decode()).split())
    assert "Consents due for review 2" in listed
    assert "Old consents" not in listed
