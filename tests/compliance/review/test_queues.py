"""Whom we must tell where their data comes from (GDPR art. 14), and which legal bases are due for review."""

import datetime as dt
import re

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization, Source
from compliance.card.source_registry import SourceType
from compliance.models import ComplianceCard, ReviewNote
from compliance.review import informing, queues, restriction, review
from compliance.verdict import policy
from compliance.verdict.reason_registry import months_before
from contacts.events import history
from contacts.models import Contact, User
from salesconnect.common.filters import filtered
from salesconnect.lib.errors import Conflict, Invalid, Restricted

NOW = dt.datetime.now(dt.UTC)  # the database goes by its own clock
INTEREST = Authorization(AuthorizationType.LEGITIMATE_INTEREST)
QUERIES = {"informing/": 8, "informing/?show=overdue": 9, "review/?owner=me": 9, "review/?show=interests": 9}
NOTE = review.BalancingNote("Sell to companies", "Nothing milder finds them", "They expect it")


def consent(day: dt.date) -> Authorization:
    return Authorization(AuthorizationType.CONSENT, consent_date=day, consent_purpose="Newsletter")


def created(contact: Contact, moment: dt.datetime) -> None:
    Contact.objects.filter(pk=contact.pk).update(created_at=moment)


def names(cards) -> list[str]:
    return [card.contact.last_name for card in cards]


@pytest.fixture
def sources(person, bob) -> dict[str, Contact]:
    """Return a person of each source, and one of none."""
    return {
        kind.slug if kind else "none": person(
            last_name=kind.slug if kind else "none",
            source=Source(kind),
            owner=bob if kind == SourceType.IMPORT else None,
        )
        for kind in (*SourceType, None)
    }


def test_who_did_not_give_the_data_themselves_is_to_be_told(sources, bob):
    assert names(informing.waiting()) == ["crm_sync", "import", "other"]
    assert names(queues.of_owner(informing.waiting(), bob.pk)) == ["import"]
    assert queues.count("to_inform").number == 3


def test_told_within_a_month_and_overdue_after_it(sources):
    today = timezone.localdate()
    assert queues.count("to_inform_overdue").number == 0
    first = informing.first_in_time(today)
    created(sources["other"], first - dt.timedelta(seconds=1))
    created(sources["import"], first)
    created(sources["crm_sync"], first - dt.timedelta(days=40))
    assert sorted(names(informing.overdue())) == ["crm_sync", "other"]
    assert informing.due(first) >= today > informing.due(first - dt.timedelta(seconds=1))


@pytest.mark.parametrize(
    ("came", "due"),
    [
        (dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC), dt.date(2026, 2, 28)),
        (dt.datetime(2026, 11, 27, 23, 30, tzinfo=dt.UTC), dt.date(2026, 12, 28)),
        (dt.datetime(2026, 12, 15, 12, tzinfo=dt.UTC), dt.date(2027, 1, 15)),
    ],
)
def test_the_last_day_is_the_same_day_of_the_next_month(came, due):
    assert informing.due(came) == due


@pytest.mark.parametrize(
    "day", [dt.date(2026, 3, 31), dt.date(2026, 3, 1), dt.date(2028, 2, 29), dt.date(2026, 12, 31)]
)
def test_no_day_is_both_in_time_and_overdue(day):
    first = informing.first_in_time(day)
    assert informing.due(first) >= day > informing.due(first - dt.timedelta(seconds=1))


def test_marking_takes_people_out_of_the_queue_and_goes_on_record(sources, member):
    people = Contact.objects.filter(last_name__in=["import", "other"])
    assert informing.mark(people, actor=member, reason="Letter of May").changed == 2
    assert informing.mark(people, actor=member).unchanged == 2
    assert names(informing.waiting()) == ["crm_sync"]
    event = history.of_contact(sources["other"].pk)[0]
    assert (event.action, event.changes) == ("informed", {"how": [None, "by_hand"], "reason": [None, "Letter of May"]})
    assert ComplianceCard.objects.get(pk=sources["other"].pk).informed_at == event.at


def test_old_consents_come_to_the_queue_and_a_review_takes_them_out_for_as_long(person, member):
    with time_machine.travel(NOW, tick=False):
        limit = months_before(timezone.localdate(), 24)
        old = person(last_name="Old", authorization=consent(limit - dt.timedelta(days=1)))
        person(last_name="Young", authorization=consent(limit))
        assert names(review.old_consents()) == ["Old"]
        review.mark(Contact.objects.all(), actor=member, reason="Asked by phone")
        assert names(review.old_consents()) == []
    with time_machine.travel(NOW + dt.timedelta(days=733), tick=False):
        assert names(review.old_consents()) == ["Old", "Young"]
    assert history.of_contact(old.pk)[0].changes == {"reason": [None, "Asked by phone"]}


def test_a_legitimate_interest_is_weighed_again_after_its_months(person, member, administrator):
    with time_machine.travel(NOW - dt.timedelta(days=368), tick=False):
        anna = person(last_name="Anna", authorization=INTEREST)
        assert names(review.old_interests()) == []
    with time_machine.travel(NOW, tick=False):
        assert names(review.old_interests()) == ["Anna"]
        note = review.balance(anna.pk, NOTE, actor=member)
        assert (note.actor_name, note.balance) == (member.name, "They expect it")
        assert names(review.old_interests()) == []
        assert history.of_contact(anna.pk)[0].changes == {"note": [None, note.pk]}
    with time_machine.travel(NOW + dt.timedelta(days=62), tick=False):
        assert names(review.old_interests()) == []
        policy.change({"interest_months": 1}, actor=administrator)
        assert names(review.old_interests()) == ["Anna"]


def test_a_note_is_about_a_legitimate_interest_and_says_all_three_parts(person, member):
    anna, lars = person(last_name="A", authorization=INTEREST), person(last_name="L")
    with pytest.raises(Invalid) as refusal:
        review.balance(anna.pk, review.BalancingNote("Why", " ", ""), actor=member)
    assert sorted(refusal.value.fields) == ["balance", "necessity"]
    with pytest.raises(Conflict):
        review.balance(lars.pk, NOTE, actor=member)
    restriction.restrict(Contact.objects.filter(pk=anna.pk), "Contested", actor=member)
    with pytest.raises(Restricted):
        review.balance(anna.pk, NOTE, actor=member)
    assert ReviewNote.objects.count() == 0


def test_every_queue_is_a_filter_of_the_people_page(sources, person, member):
    person(last_name="Old", authorization=consent(dt.date(2020, 1, 1)))
    created(sources["other"], timezone.now() - dt.timedelta(days=60))
    expected = {"to_inform": ("to_inform", "true"), "to_inform_overdue": ("to_inform", "overdue"),
                "old_consents": ("review", "consent"), "old_interests": ("review", "legitimate_interest")}  # fmt: skip
    for queue, (name, value) in expected.items():
        assert filtered(member, {name: value}).count() == queues.count(queue).number


@pytest.mark.parametrize(
    "path", ["informing/", "informing/?show=overdue", "review/?owner=me", "review/?show=interests"]
)
@pytest.mark.parametrize("rows", [1, 3])
def test_a_queue_asks_the_database_as_often_whatever_its_length(
    signed_in, person, path, rows, django_assert_num_queries
):
    signed_in.get("/compliance/informing/")
    bob = User.objects.get()
    with time_machine.travel(NOW - dt.timedelta(days=900), tick=False):
        for number in range(rows):
            person(last_name=f"I{number}", authorization=INTEREST, source=Source(SourceType.IMPORT), owner=bob)
            person(last_name=f"C{number}", authorization=consent(dt.date(2020, 1, 1)), owner=bob)
    Contact.objects.update(created_at=timezone.now() - dt.timedelta(days=90))
    with django_assert_num_queries(QUERIES[path]):
        assert "row-link" in signed_in.get(f"/compliance/{path}").content.decode()


def test_marking_from_the_queue(signed_in, sources, auditor, charlie):
    ids = [sources["import"].pk, sources["other"].pk]
    assert (
        signed_in.post("/compliance/informing/?owner=me", {"ids": ids}).url
        == "/compliance/informing/?show=all&owner=me"
    )
    assert names(informing.waiting()) == ["crm_sync"]
    assert signed_in.post("/compliance/informing/", {}).status_code == 400
    assert signed_in.get("/compliance/informing/?show=nonsense").status_code == 400
    modal = signed_in.post("/people/bulk/informed/", {"filter": "to_inform=true"})
    assert "Mark 1 person as informed" in modal.content.decode()
    signed_in.post("/people/bulk/informed/", {"filter": "to_inform=true", "approved": 1, "reason": "Post"})
    assert names(informing.waiting()) == []
    reading = Client()
    reading.force_login(charlie)
    page = reading.get("/compliance/informing/")
    assert (page.status_code, "Mark as informed" in page.content.decode()) == (200, False)


def test_bulk_marks_in_the_api(api, sources, member):
    body = {"selection": {"filter": {"to_inform": "true"}}}
    planned = api.post("/api/v1/bulk/informed/", body | {"dry_run": True}, format="json").json()
    done = api.post("/api/v1/bulk/informed/", body | {"reason": "Post"}, format="json").json()
    assert (planned["changed"], done["changed"], done["state"]) == (3, 3, "done")
    reviewed = api.post("/api/v1/bulk/reviewed/", {"selection": {"filter": {}}}, format="json").json()
    assert (reviewed["changed"], reviewed["unchanged"]) == (0, 6)


def test_balancing_notes_in_the_api(api, person):
    anna = person(last_name="Anna", authorization=INTEREST)
    url = f"/api/v1/contacts/{anna.pk}/balancing-notes/"
    texts = {"purpose": "Sell", "necessity": "Needed", "balance": "Fair"}
    assert api.post(url, {"purpose": "Sell"}, format="json").status_code == 400
    answer = api.post(url, texts, format="json")
    assert (answer.status_code, answer.json()["actor"]) == (201, "bob")
    assert api.get(url).json()["results"] == [answer.json()]


def test_a_note_is_written_on_the_page(signed_in, person):
    anna = person(last_name="Anna", authorization=INTEREST)
    url = f"/people/{anna.pk}/balance/"
    assert signed_in.post(url, {"purpose": "Sell"}).status_code == 422
    texts = {"purpose": "Sell", "necessity": "Needed", "balance": "Fair"}
    assert signed_in.post(url, texts).status_code == 302
    assert "Note by bob" in signed_in.get(url).content.decode()


@pytest.mark.parametrize("show", ["consents", "interests"])
def test_a_long_queue_has_pages(signed_in, person, monkeypatch, show):
    monkeypatch.setattr("salesconnect.pages.compliance.queues.PAGE_SIZE", 2)
    basis = consent(dt.date(2020, 1, 1)) if show == "consents" else INTEREST
    people = [person(last_name=f"Number {number}", email="", authorization=basis).pk for number in range(3)]
    ComplianceCard.objects.update(basis_since=dt.date(2020, 1, 1))
    first = signed_in.get(f"/compliance/review/?show={show}").content.decode()
    second = signed_in.get(re.search(r'rel="next" href="([^"]*)"', first)[1].replace("&amp;", "&")).content.decode()
    shown = [re.findall(r"Number \d", page) for page in (first, second)]
    assert [sorted(set(names)) for names in shown] == [["Number 0", "Number 1"], ["Number 2"]], people
