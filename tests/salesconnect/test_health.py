"""The pages for load balancers and monitors."""

import pytest
from django.db.utils import ConnectionHandler
from django.utils import timezone

from exports.models import RecordCheck
from salesconnect import health, heartbeat

AWAY = {"ENGINE": "django.db.backends.postgresql", "NAME": "nobody", "HOST": "/nowhere"}


@pytest.fixture
def broker():
    """Return a client of the broker, in which no worker has given a sign of life."""
    with heartbeat.client() as client:
        client.delete(heartbeat.KEY)
        yield client
        client.delete(heartbeat.KEY)


def test_alive_is_answered_without_the_database(client):
    answer = client.get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_ready_once_a_worker_has_given_a_sign_of_life(client, broker):
    heartbeat.beat()
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "missing": [], "records": None})
    assert answer.headers["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"


@pytest.mark.django_db
def test_it_says_what_the_last_check_of_the_records_left(client, broker):
    heartbeat.beat()
    row = RecordCheck.objects.create(finished_at=timezone.now(), found=3, left=2)
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["records"] == {"checked_at": f"{row.finished_at.isoformat()[:23]}Z", "differences": 2}


@pytest.mark.django_db
def test_not_ready_without_a_worker_and_says_when_to_ask_again(client, broker):
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()) == (503, {"status": "not ready", "missing": ["worker"]})
    assert answer.headers["Retry-After"] == "5"


def test_a_sign_of_life_is_forgotten_after_a_minute(broker):
    heartbeat.beat()

    assert broker.ttl(heartbeat.KEY) == 60


@pytest.mark.django_db
def test_a_broker_that_is_away_is_named(client, settings):
    settings.REDIS_URL = "unix:///nowhere/redis.sock"

    assert client.get("/readyz").json()["missing"] == ["broker", "worker"]


@pytest.mark.django_db
def test_a_database_that_is_away_is_named(client, broker, monkeypatch):
    heartbeat.beat()
    monkeypatch.setattr(health, "connection", ConnectionHandler({"default": AWAY})["default"])

    assert client.get("/readyz").json()["missing"] == ["database"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_they_are_only_read(client, path):
    assert client.post(path).status_code == 405
