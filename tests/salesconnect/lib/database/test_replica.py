from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import OperationalError, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch

from contacts.models import Batch, Contact, User
from salesconnect.lib.database import replica
from salesconnect.lib.database.replica import ReadFromReplica, Router

ROUTER = Router()


@pytest.fixture
def reading_the_copy(monkeypatch) -> Iterator[None]:
    """Read as a safe request does that found the copy up to date."""
    monkeypatch.setitem(settings.DATABASES, "replica", settings.DATABASES["default"])
    monkeypatch.setattr(replica, "_unavailable_until", 0.0)
    token = replica._source.set("replica")
    yield
    replica._source.reset(token)


def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse(ROUTER.db_for_read(Contact))


def test_without_a_copy_everything_reads_from_the_primary():
    assert (ROUTER.db_for_read(Contact), replica.caught_up_source()) == ("default", "default")


@pytest.mark.parametrize(("model", "source"), [(Contact, "replica"), (User, "default"), (Batch, "default")])
def test_people_are_read_from_the_copy_users_and_tasks_are_not(reading_the_copy, model, source):
    assert (ROUTER.db_for_read(model), ROUTER.db_for_write(model)) == (source, "default")


def test_a_transaction_that_may_write_reads_where_it_writes(reading_the_copy, transactional_db):
    outside = ROUTER.db_for_read(Contact)
    with transaction.atomic():
        assert (outside, ROUTER.db_for_read(Contact)) == ("replica", "default")


def test_a_page_in_whose_middle_the_copy_goes_away_is_answered_by_the_primary(reading_the_copy, rf):
    request = rf.get("/people/")
    request.resolver_match = ResolverMatch(view, (), {})
    answer = ReadFromReplica(view).process_exception(request, OperationalError())
    assert answer.content == b"default"


def test_an_error_of_another_kind_is_left_alone(reading_the_copy, rf):
    request = rf.get("/people/")
    request.resolver_match = ResolverMatch(view, (), {})
    assert ReadFromReplica(view).process_exception(request, ValueError()) is None
