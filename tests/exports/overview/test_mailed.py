import datetime as dt

import pytest
from django.db import connection
from django.utils import timezone

from compliance.card import card_changes
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from compliance.verdict import asof
from contacts.events import history
from contacts.models import Contact, ContactEvent
from exports.erasure import erasure
from exports.overview import mailed
from exports.overview.mailed import Ground, MailedQuery
from tests.exports.overview.acts import Team
from tests.soak import seeds
from unsubscribes.merging.merge import merge
from unsubscribes.merging.unmerge import unmerge
from unsubscribes.models import Message

TODAY = dt.date(2026, 3, 15)
MARCH = MailedQuery(dt.date(2026, 3, 1), dt.date(2026, 3, 31))


@pytest.fixture
def at(transactional_db):
    """Return a function that lets everything that follows happen on a day of 2026 at noon, as far as events tell."""

    def move(contact_id: int, action: str, month: int, day: int, **changes) -> None:
        moment = dt.datetime(2026, month, day, 12, tzinfo=dt.UTC)
        with connection.cursor() as cursor:
            cursor.execute("SELECT contacts_make_event_partition(%s)", [moment.date()])
        ContactEvent.objects.create(
            id=ContactEvent.objects.count() + 1_000_000, at=moment, contact_id=contact_id, action=action, door="page",
            actor_name="bob", changes=changes,
        )  # fmt: skip

    return move


@pytest.fixture
def sent(db):
    """Return a function that stores a mail that left on a day of 2026."""

    def send(person, month: int, day: int, hour: int = 13) -> Message:
        moment = dt.datetime(2026, month, day, hour, tzinfo=dt.UTC)
        return Message.objects.create(
            contact=person, actor_name="bob", door="page", email=person.email, language="en", subject="News",
            text="", html="", state="sent", claimed_at=moment, sent_at=moment,
        )  # fmt: skip

    return send


def listed(wanted, actor):
    return [(mail.contact_id, mail.ground) for mail in mailed.page(wanted, cursor=None, size=50, actor=actor).rows]


def test_the_ground_is_that_of_the_moment_and_not_of_today(at, sent, person, member):
    anna = person(email="anna@example.com")
    at(anna.pk, history.CREATED, 1, 5, authorization_type="legitimate_interest")
    at(anna.pk, history.AUTHORIZATION, 3, 10, authorization_type=["legitimate_interest", "consent"],
       consent_date=[None, "2026-03-10"], consent_purpose=["", "Newsletter"])  # fmt: skip
    at(anna.pk, history.AUTHORIZATION, 3, 12, consent_purpose=["Newsletter", "Offers"])
    at(anna.pk, history.AUTHORIZATION, 3, 20, authorization_type=["consent", None], consent_date=["2026-03-10", None])
    card_changes.authorise(Contact.objects.all(), Authorization(AuthorizationType.CONTRACT), actor=member)
    for day in (9, 11, 13, 21):
        sent(anna, 3, day)
    sent(anna, 4, 1)
    assert [ground for _id, ground in listed(MARCH, member)] == [
        "legitimate_interest", "consent", "consent", "not_recorded",
    ]  # fmt: skip
    rows = mailed.page(MARCH, cursor=None, size=50, actor=member).rows
    assert [(mail.consent_date, mail.consent_purpose) for mail in rows][1:3] == [
        ("2026-03-10", "Newsletter"),
        ("2026-03-10", "Offers"),
    ]
    assert mailed.grounds(MARCH, actor=member) == [
        Ground("consent", 2, 1), Ground("legitimate_interest", 1, 1), Ground("not_recorded", 1, 1),
    ]  # fmt: skip


def test_mail_to_people_who_were_erased_since_is_counted_with_its_ground(at, sent, person, administrator, signed_in):
    anna, lars = person(email="anna@example.com"), person(email="lars@example.com")
    for number, someone in enumerate((anna, lars)):
        at(someone.pk, history.CREATED, 1, 5, authorization_type="contract")
        sent(someone, 3, 2)
        at(someone.pk, history.MAILED, 3, 2, mail=[None, number], subject=[None, "News"])
    assert mailed.grounds(MARCH, actor=administrator) == [Ground("contract", 2, 2, 0)]
    erasure.delete(Contact.objects.filter(pk=anna.pk), actor=administrator)
    assert mailed.grounds(MARCH, actor=administrator) == [Ground("contract", 1, 1, 1)]
    page = signed_in.get("/compliance/mailed/?since=2026-03-01&until=2026-03-31").content.decode()
    assert "One more mail went to somebody who was erased since" in page
    erasure.delete(Contact.objects.all(), actor=administrator)
    page = signed_in.get("/compliance/mailed/?since=2026-03-01&until=2026-03-31").content.decode()
    assert "2 more mails went to people who were erased since" in page


def test_mail_to_a_record_that_was_merged_since_keeps_its_ground(at, sent, person, member):
    people = [person(email=f"{name}@example.com") for name in ("anna", "a.berg", "aberg")]
    for one, ground in zip(people, ("contract", "legitimate_interest", None), strict=True):
        at(one.pk, history.CREATED, 1, 5, **({"authorization_type": ground} if ground else {}))
        message = sent(one, 3, 2)
        at(one.pk, history.MAILED, 3, 2 + 1, mail=[None, message.pk], subject=[None, "News"])
    before = sorted(ground for _id, ground in listed(MARCH, member))
    assert before == ["contract", "legitimate_interest", "not_recorded"]
    first, second, third = people
    merge(second.pk, first.pk, actor=member)
    last = merge(third.pk, second.pk, actor=member)
    assert {number for number, _ground in listed(MARCH, member)} == {third.pk}
    assert sorted(ground for _id, ground in listed(MARCH, member)) == before
    assert [one.slug for one in mailed.grounds(MARCH, actor=member)] == before
    unmerge(last.pk, actor=member)
    assert sorted(ground for _id, ground in listed(MARCH, member)) == before


def test_days_are_those_of_the_site_and_both_count(at, sent, person, member):
    anna = person(email="anna@example.com")
    at(anna.pk, history.CREATED, 1, 5)
    sent(anna, 2, 28, hour=23)  # midnight in Stockholm, where it is March
    sent(anna, 3, 31, hour=21)
    sent(anna, 3, 31, hour=22)  # April there, in summer time
    assert len(listed(MARCH, member)) == 2


def test_the_page_lists_counts_and_pages(at, sent, person, signed_in, django_assert_num_queries):
    people = [person(email=f"p{number}@example.com") for number in range(3)]
    for one in people:
        at(one.pk, history.CREATED, 1, 5, authorization_type="contract")
    sent(people[0], 3, 2)
    address = "/compliance/mailed/?since=2026-03-01&until=2026-03-31"
    signed_in.get(address)
    with django_assert_num_queries(6):
        signed_in.get(address)
    for place in range(59):
        sent(people[place % 3], 3, 3)
    with django_assert_num_queries(6):
        page = signed_in.get(address).content.decode()
    assert page.count('<a class="row-link"') == 50
    assert "ground=contract" in page
    assert "100.0 %" in page
    one_ground = signed_in.get(f"{address}&ground=contract").content.decode()
    assert "Only:" in one_ground
    assert one_ground.count('<a class="row-link"') == 50
    assert "No mail went out" in signed_in.get(f"{address}&ground=consent").content.decode()


def test_many_mails_are_counted_by_a_request_of_their_own(at, sent, person, signed_in, monkeypatch):
    monkeypatch.setattr("salesconnect.pages.compliance.mailed.AT_ONCE", 0)
    anna = person(email="anna@example.com")
    sent(anna, 3, 2)
    address = "/compliance/mailed/?since=2026-03-01&until=2026-03-31"
    assert "The mails are being counted" in signed_in.get(address).content.decode()
    part = signed_in.get(address, headers={"HX-Request": "true", "HX-Target": "grounds"}).content.decode()
    assert part.lstrip().startswith("<section")
    assert "Not recorded" in part


def test_the_file_holds_every_mail_and_is_on_record(at, sent, person, signed_in):
    anna = person(first_name="Anna", last_name="=Berg", email="anna@example.com")
    at(anna.pk, history.CREATED, 1, 5, authorization_type="contract")
    mail = sent(anna, 3, 2)
    answer = signed_in.post("/compliance/mailed/export/", {"since": "2026-03-01", "until": "2026-03-31"})
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0].startswith("Sent At,Mail,Person ID,First Name")
    assert lines[1:] == [
        f"2026-03-02T13:00:00Z,{mail.pk},{anna.pk},Anna,'=Berg,anna@example.com,News,contract,,,bob",
    ]
    newest = history.of_contact(anna.pk).first()
    assert (newest.action, newest.changes) == ("exported", {"reason": [None, "mail from 2026-03-01 to 2026-03-31"]})


def test_without_days_it_is_last_month(signed_in):
    last = timezone.localdate().replace(day=1) - dt.timedelta(days=1)
    page = signed_in.get("/compliance/mailed/").content.decode()
    assert f'value="{last.replace(day=1)}"' in page
    assert f'value="{last}"' in page


@pytest.mark.parametrize("query", ["since=2026-04-01&until=2026-03-01", "since=x", "ground=faith"])
def test_what_cannot_be_is_refused(signed_in, query):
    assert signed_in.get(f"/compliance/mailed/?{query}").status_code == 400


@pytest.mark.soak
@pytest.mark.parametrize("seed", seeds(1, 10))
def test_the_ground_is_what_the_fold_of_the_history_says(transactional_db, administrator, seed):
    team = Team(seed, administrator)
    sent_to = []
    for _ in range(40):
        team.act()
        for someone in Contact.objects.order_by("?")[:2]:
            now = timezone.now()
            sent_to.append(Message(
                contact=someone, actor_name="bob", door="page", language="en", subject="News", text="", html="",
                state="sent", claimed_at=now, sent_at=now,
            ))  # fmt: skip
    here = set(Contact.objects.values_list("pk", flat=True))
    mails = Message.objects.bulk_create(mail for mail in sent_to if mail.contact_id in here)
    today = timezone.localdate()
    told = {mail.pk: mail.ground for mail in mailed.mails(MailedQuery(today - dt.timedelta(days=1), today))}
    states = asof.states([(mail.contact_id, mail.sent_at) for mail in mails])
    slugs = {kind.value: kind.slug for kind in AuthorizationType} | {None: "not_recorded"}
    assert told == {mail.pk: slugs[state.authorization_type] for mail, state in zip(mails, states, strict=True)}
