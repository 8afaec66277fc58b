"""The feed of the history: in the order of its numbers, and complete, however late somebody commits."""

from threading import Event, Thread

import pytest
from django.db import connection, transaction

from contacts.events import feed, history
from contacts.models import Contact, ContactEvent
from contacts.sealing import sealing
from contacts.sealing.settled import settled
from salesconnect.lib.actor import system

FEED = "/api/v1/events/"


def record(*numbers: int, action: str = history.EXPORTED) -> None:
    for number in numbers:
        history.record([number], action, actor=system("command"))


def seen(answer) -> list[int]:
    return [event["contact"] for event in answer.json()["results"]]


def test_events_are_told_oldest_first_with_whom_they_happened_to(api, person):
    anna = person(first_name="Anna")
    [created] = api.get(FEED).json()["results"]
    assert (created["contact"], created["action"], created["door"]) == (anna.pk, "created", "command")
    assert sorted(created) == ["action", "actor", "at", "batch", "changes", "contact", "door", "id", "text"]


def test_whoever_follows_asks_again_after_the_last_number(api, db):
    record(1, 2, 3)
    first = api.get(f"{FEED}?page_size=2").json()
    assert [event["contact"] for event in first["results"]] == [1, 2]
    second = api.get(first["next"])
    assert (seen(second), second.json()["next"]) == ([3], None)
    last = second.json()["results"][-1]["id"]
    assert seen(api.get(f"{FEED}?after={last}")) == []
    record(4)
    assert seen(api.get(f"{FEED}?after={last}")) == [4]


def test_a_feed_of_some_actions_looks_at_a_stretch_at_a_time(api, db, monkeypatch):
    monkeypatch.setattr(feed, "SCAN_LIMIT", 2)
    record(1, 2, 3, 4)
    record(5, action=history.DELETED)
    first = ContactEvent.objects.earliest("id").id - 1
    url, found, pages = f"{FEED}?action=deleted,merged&after={first}", [], 0
    while url:
        answer = api.get(url)
        found, url, pages = found + seen(answer), answer.json()["next"], pages + 1
    assert (found, pages) == ([5], 3)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("after=x", "after"),
        ("after=-1", "after"),
        ("after=99999999999999999999", "after"),
        ("action=danced", "action"),
        ("since=2026-01-01", "since"),
        ("cursor=x", "cursor"),
        ("page_size=0", "page_size"),
    ],
)
def test_a_wrong_or_unknown_parameter_is_named(api, query, name):
    answer = api.get(f"{FEED}?{query}")
    assert (answer.status_code, list(answer.json())) == (400, [name])


def test_a_feed_asks_as_much_for_three_events_as_for_one(api, db, django_assert_num_queries):
    api.get(FEED)  # the first use of a token is noted
    for number in (1, 2):
        record(*range(number))
        with django_assert_num_queries(4):
            assert api.get(FEED).status_code == 200


@pytest.fixture
def late(transactional_db):
    """Return a function that writes an event and commits it only when the function that it returns is called."""
    threads = []

    def write(number: int):
        written, go_on = Event(), Event()

        def work() -> None:
            with transaction.atomic():
                record(number)
                written.set()
                go_on.wait(60)
            connection.close()

        thread = Thread(target=work)
        threads.append((thread, go_on))
        thread.start()
        written.wait(60)

        def commit() -> None:
            go_on.set()
            thread.join()

        return commit

    yield write
    for thread, go_on in threads:
        go_on.set()
        thread.join()


def follow(after: int) -> list[int]:
    return [event.contact_id for event in feed.page(after, 100).events]


def test_an_event_that_commits_late_is_not_skipped(late):
    record(1)
    sealing.seal_open()
    commit = late(2)
    record(3)
    start = ContactEvent.objects.earliest("id").id - 1
    assert follow(start) == [1]
    commit()
    assert follow(start) == [1, 2, 3]


def test_writers_that_follow_each_other_do_not_hold_the_feed_up(late):
    record(1)
    before = late(2)
    end = Thread(target=before)
    end.start()
    assert settled() >= ContactEvent.objects.get(contact_id=1).id
    end.join()
    sealing.seal_open()
    after = late(3)
    assert follow(0) == [1, 2]
    after()
    assert follow(0) == [1, 2, 3]


def test_what_was_rolled_back_holds_nothing_up(late):
    record(1)
    with transaction.atomic():
        record(2)
        transaction.set_rollback(True)
    record(3)
    assert follow(0) == [1, 3]
    assert not Contact.objects.exists()
