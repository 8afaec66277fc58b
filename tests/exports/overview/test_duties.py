import datetime as dt

import pytest
from django.utils import timezone

from compliance.rules import Source, SourceType
from contacts.models import Contact
from contacts.models.seal import Verification
from exports.overview.views.duties import duties
from unsubscribes.models import SyncConnection


def told() -> dict[str, tuple[str, bool]]:
    return {duty.label: (duty.text, duty.bad) for duty in duties().all}


def test_a_history_that_was_bent_is_a_concern(db):
    assert told()["History"] == ("It has not been verified yet; that happens once a week.", False)
    now = timezone.now()
    Verification.objects.create(actor_name="", finished_at=now, events=1_234, good=True)
    text, bad = told()["History"]
    assert text.startswith("1,234 events verified on ")
    assert not bad
    Verification.objects.create(actor_name="", finished_at=now, good=False, problem="changed", bad_event=7)
    assert told()["History"] == ("This event was changed. It is event 7.", True)
    assert [concern.text for concern in duties().concerns] == ["History: This event was changed. It is event 7."]


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
    text, is_bad = told()["Where the data came from (art. 14)"]
    assert text.startswith("1 person to be told")
    assert is_bad is bad


def test_a_concern_stands_in_the_first_lines_of_the_page(signed_in, person):
    person(email="a@example.com")
    Verification.objects.create(actor_name="", finished_at=timezone.now(), good=False, problem="link", bad_event=None)
    page = signed_in.get("/compliance/").content.decode()
    assert "Not all is well: 2 things need somebody." in page
    assert "<li>History: The seal of this event is not linked to the one before.</li>" in page
