"""Transactions that meet are done again, in one place, and only those."""

import sys
from threading import Barrier

import pytest
from django.db import DataError, OperationalError, connection, transaction

from salesconnect.api.protocol import errors
from salesconnect.lib.database.transactions import TRIES, act, is_retryable, retried
from salesconnect.server_errors import server_error
from tests.interleaving import at_once

DEADLOCK, SERIALIZATION, DISK_FULL = "40P01", "40001", "53100"


def fail(code: str) -> None:
    """Let PostgreSQL end the transaction with an error of its own."""
    with connection.cursor() as cursor:
        cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION 'so it is' USING ERRCODE = '{code}'; END $$")


def take(number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(4711, %s)", [number])


@pytest.mark.django_db(transaction=True)
def test_two_acts_that_wait_for_each_other_are_both_done():
    tried, done, both = [], [], Barrier(2)

    @act
    def lock(first: int, second: int) -> None:
        tried.append(first)
        take(first)
        if tried.count(first) == 1:
            both.wait(30)
        take(second)
        done.append(first)

    at_once(lambda: lock(1, 2), lambda: lock(2, 1))
    assert sorted(done) == [1, 2]
    assert len(tried) == 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("code", [DEADLOCK, SERIALIZATION])
def test_what_postgresql_gives_up_again_and_again_is_told(code):
    tried = []

    @act
    def never() -> None:
        tried.append(code)
        fail(code)

    with pytest.raises(OperationalError) as problem:
        never()
    assert len(tried) == TRIES
    assert is_retryable(problem.value)


@pytest.mark.django_db(transaction=True)
def test_any_other_error_is_no_reason_to_try_again():
    tried = []

    @retried
    def never() -> None:
        tried.append(1)
        fail(DISK_FULL)

    with pytest.raises(OperationalError):
        never()
    with pytest.raises(DataError):
        retried(lambda: fail("22003"))()
    assert tried == [1]


@pytest.mark.django_db(transaction=True)
def test_within_a_larger_act_the_larger_one_is_done_again():
    tried = []

    @act
    def inner() -> None:
        tried.append("inner")
        if len(tried) < 4:
            fail(DEADLOCK)

    @act
    def outer() -> str:
        tried.append("outer")
        inner()
        return "done"

    assert outer() == "done"
    assert tried == ["outer", "inner", "outer", "inner"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("code", "words"),
    [
        (DEADLOCK, "Somebody changed the same data"),
        (SERIALIZATION, "Somebody changed the same data"),
        ("57P01", "The database is away"),
    ],
)
@pytest.mark.parametrize("path", ["/people/", "/api/v1/contacts/"])
def test_the_answer_names_what_it_was(rf, code, words, path):
    try:
        with transaction.atomic():
            fail(code)
    except OperationalError:
        answer = server_error(rf.get(path))
        handled = errors.handle(sys.exc_info()[1], {})
    assert (handled.status_code, words in handled.data["detail"], "Retry-After" in handled) == (503, True, True)
    assert (answer.status_code, words in answer.content.decode()) == (503, True)
    assert "Retry-After" in answer.headers
