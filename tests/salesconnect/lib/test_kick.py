import json
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
import redis
from django.conf import settings
from django.db import transaction

from salesconnect.lib.kick import kick


@pytest.fixture
def waiting(db) -> Iterator[Callable[[str], int]]:
    """Return a function that counts the messages for a task in the real broker, where other tests' messages lie too."""
    with redis.Redis.from_url(settings.REDIS_URL) as broker:

        def count(task: str) -> int:
            return sum(json.loads(message)["headers"]["task"] == task for message in broker.lrange("celery", 0, -1))

        yield count


def test_one_message_speaks_for_every_act_of_a_second(waiting, django_capture_on_commit_callbacks):
    task = f"tests.{uuid4()}"
    with django_capture_on_commit_callbacks(execute=True):
        for _act in range(3):
            kick(task)
    assert waiting(task) == 1


def test_work_with_a_number_is_asked_for_each_time(waiting, django_capture_on_commit_callbacks):
    task = f"tests.{uuid4()}"
    with django_capture_on_commit_callbacks(execute=True):
        for number in (1, 2, 3):
            kick(task, number)
    assert waiting(task) == 3


def test_nothing_is_asked_for_before_the_commit(waiting, django_capture_on_commit_callbacks):
    task = f"tests.{uuid4()}"
    with django_capture_on_commit_callbacks():
        kick(task, 1)
    assert waiting(task) == 0


def test_a_message_that_cannot_be_sent_fails_no_act_that_is_stored(transactional_db, caplog):
    with transaction.atomic():
        kick("tests.never", object())
    assert "on_commit" in caplog.text
