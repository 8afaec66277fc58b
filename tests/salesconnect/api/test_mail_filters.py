"""Messages in lists of the API: filters, pages, what they cost, and who may read them."""

import datetime as dt

import pytest
from django.db import connection
from django.utils import timezone
from django.utils.http import urlencode

from compliance.suppression import suppression
from contacts.models import Contact
from tests.mailing import DRAFT
from unsubscribes.mail import bulk_mail, mailing
from unsubscribes.mail.sending import send
from unsubscribes.models import Message

MAILS = "/api/v1/mails/"


@pytest.fixture
def people(many, member, server):
    """Return three people who were mailed: the first held back, then one sent, one waiting."""
    first, second, third = many(3)
    suppression.unsubscribe(Contact.objects.filter(pk=first.pk), actor=member, source="manual")
    for person in (first, second):
        mailing.write_to_one(person.pk, DRAFT, actor=member)
    send.drain()
    mailing.write_to_one(third.pk, DRAFT, actor=member)
    return first, second, third


def subjects(answer) -> list[str]:
    assert answer.status_code == 200, answer.json()
    return [row["subject"] for row in answer.json()["results"]]


def test_mails_are_listed_newest_first_without_their_texts(api, people):
    rows = api.get(MAILS).json()["results"]
    assert [(row["subject"], row["state"]) for row in rows] == [
        ("Hello No2", "queued"),
        ("Hello No1", "sent"),
        ("Hello No0", "held"),
    ]
    assert {"text", "html"} & set(rows[0]) == set()
    assert rows[2]["reason"] == "unsubscribed"


def test_the_mails_of_one_person(api, people):
    assert subjects(api.get(f"/api/v1/contacts/{people[1].pk}/mails/")) == ["Hello No1"]
    assert api.get("/api/v1/contacts/999999/mails/").status_code == 404
    assert api.get(f"/api/v1/contacts/{people[1].pk}/mails/?state=sent").status_code == 400


@pytest.mark.parametrize(("state", "found"), [("queued", ["Hello No2"]), ("sent", ["Hello No1"]), ("failed", [])])
def test_mails_of_a_state(api, people, state, found):
    assert subjects(api.get(f"{MAILS}?state={state}")) == found


def test_what_is_being_sent_waits_still(api, people):
    Message.objects.filter(state="queued").update(state="sending")
    assert subjects(api.get(f"{MAILS}?state=queued")) == ["Hello No2"]


def test_mails_of_an_order_and_of_a_time(api, people, member):
    batch = bulk_mail.order_mail(Contact.objects.all(), DRAFT, actor=member, selection={})
    assert len(subjects(api.get(f"{MAILS}?batch={batch.pk}"))) == 3
    assert subjects(api.get(f"{MAILS}?batch={batch.pk}&contact={people[0].pk}&state=held")) == ["Hello No0"]
    Message.objects.filter(batch=None).update(created_at=timezone.now() - dt.timedelta(days=2))
    yesterday = (timezone.now() - dt.timedelta(days=1)).isoformat()
    assert len(subjects(api.get(f"{MAILS}?{urlencode({'created_before': yesterday})}"))) == 3
    assert len(subjects(api.get(f"{MAILS}?{urlencode({'created_after': yesterday, 'state': 'held'})}"))) == 1


@pytest.mark.parametrize("query", ["", "&created_after=2020-01-01T00:00:00Z"])
def test_pages_lead_on_and_back(api, people, query):
    first = api.get(f"{MAILS}?page_size=2{query}").json()
    second = api.get(first["next"]).json()
    assert ([row["subject"] for row in second["results"]], second["next"]) == (["Hello No0"], None)
    assert api.get(second["previous"]).json()["results"] == first["results"]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("status=sent", "status"),
        ("state=sending", "state"),
        ("state=gone", "state"),
        ("batch=x", "batch"),
        ("contact=0", "contact"),
        ("contact=99999999999999999999", "contact"),
        ("created_after=yesterday", "created_after"),
        ("created_before=9999-12-31T23:59:59-23:59", "created_before"),
        ("cursor=x", "cursor"),
    ],
)
def test_a_wrong_or_unknown_filter_is_named(api, people, query, name):
    answer = api.get(f"{MAILS}?{query}")
    assert (answer.status_code, list(answer.json())) == (400, [name])


def test_a_list_asks_as_much_for_three_mails_as_for_one(api, people, django_assert_num_queries):
    api.get(MAILS)  # the first use of a token is noted
    for size in (1, 3):
        with django_assert_num_queries(2):
            api.get(f"{MAILS}?page_size={size}")
        with django_assert_num_queries(3):
            api.get(f"/api/v1/contacts/{people[0].pk}/mails/?page_size={size}")


@pytest.mark.parametrize(
    ("condition", "index"),
    [
        ("contact_id = 1 ORDER BY id DESC", "message_of_contact"),
        ("batch_id = 1 ORDER BY id DESC", "message_of_batch"),
        ("state = 'held' ORDER BY id DESC", "message_by_state"),
        ("created_at < now() ORDER BY created_at DESC, id DESC", "message_by_writing"),
    ],
)
def test_each_list_has_its_index(db, condition, index):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN SELECT id FROM unsubscribes_message WHERE {condition} LIMIT 50")
        assert index in str(cursor.fetchall())
