"""No request waits for the database without end, and no limit outlives the transaction that it is for."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
import pytest
from django.db import OperationalError, connection, transaction
from django.test import Client

from contacts.accounts import tokens
from salesconnect.lib.database import failures
from salesconnect.lib.database.failures import FailureKind
from salesconnect.lib.database.limits import MIN_LOCK_SECONDS, WAITED_FOR_THREAD, StatementLimits

SHORT = StatementLimits(statement=0.1, lock=0.1, idle=60)
SHOW = "SELECT current_setting('statement_timeout'), current_setting('lock_timeout')"


def shown() -> tuple[str, ...]:
    with connection.cursor() as cursor:
        cursor.execute(SHOW)
        return cursor.fetchone()


@pytest.mark.django_db(transaction=True)
def test_limits_hold_inside_and_outlive_no_statement():
    with StatementLimits(statement=3, lock=2, idle=60).held():
        assert shown() == ("3s", "2s")
        with transaction.atomic():
            assert shown() == ("3s", "2s")
    assert shown() == ("0", "0")


@pytest.mark.django_db(transaction=True)
def test_what_takes_too_long_is_ended(db):
    with SHORT.held(), connection.cursor() as cursor, pytest.raises(OperationalError) as caught:
        cursor.execute("SELECT pg_sleep(20)")
    assert failures.classify(caught.value).kind == FailureKind.TOO_SLOW


def test_a_savepoint_is_still_rolled_back(db):
    with SHORT.held():
        with pytest.raises(OperationalError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(20)")
        assert shown() == ("100ms", "100ms")


@contextmanager
def locked(table: str) -> Iterator[None]:
    """Hold a lock on a table for as long as the test takes, and no longer than 20 seconds."""
    other = psycopg2.connect(**{**connection.get_connection_params(), "cursor_factory": None})
    try:
        with other.cursor() as cursor:
            cursor.execute("SET idle_in_transaction_session_timeout = '20s'")
            cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        other.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", ["contacts_contact", "compliance_compliancecard", "django_session", "contacts_user"])
def test_what_is_locked_is_answered_in_words(table, bob, settings):
    settings.SITE_LIMITS = {"statement": 10, "lock": 0.1, "idle": 60}
    browser = Client(raise_request_exception=False)
    browser.force_login(bob)
    token = tokens.make(bob, "tests")
    with locked(table):
        page = browser.get("/people/")
        assert (page.status_code, page.headers["Retry-After"]) == (503, "10")
        assert "is locked by other work" in page.content.decode()
        if table != "django_session":
            answer = Client().get("/api/v1/contacts/", headers={"Authorization": f"Token {token}"})
            assert (answer.status_code, "locked" in answer.json()["detail"]) == (503, True)


@pytest.mark.django_db(transaction=True)
def test_a_link_in_a_mail_says_that_it_is_to_be_tried_again(settings):
    settings.SITE_LIMITS = {"statement": 10, "lock": 0.1, "idle": 60}
    with locked("unsubscribes_maillink"):
        answer = Client().post(f"/u/{'x' * 43}/", {"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)


@pytest.mark.parametrize(("waited", "lock"), [(0, 4), (1, 3), (60, MIN_LOCK_SECONDS)])
def test_who_has_waited_for_a_thread_waits_less_for_a_lock(waited, lock):
    token = WAITED_FOR_THREAD.set(waited)
    assert StatementLimits(statement=30, lock=4, idle=60).left() == StatementLimits(statement=30, lock=lock, idle=60)
    assert StatementLimits(statement=30, lock=0.01, idle=60).left().lock == 0.01
    WAITED_FOR_THREAD.reset(token)
