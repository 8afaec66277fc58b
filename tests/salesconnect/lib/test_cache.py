"""The cache with Redis, and without."""

import pytest
import redis
from django.core.cache import caches
from django.test import Client

from salesconnect.lib.cache import FallbackRedisCache

VALUES = [True, 5, 1.5, "å", [1.5, 2.5], {"a": [None]}]


@pytest.fixture
def away() -> FallbackRedisCache:
    """Return a cache whose Redis is not there."""
    return FallbackRedisCache("redis://127.0.0.1:1/0", {})


@pytest.mark.parametrize("name", ["there", "away"])
@pytest.mark.parametrize("value", VALUES)
def test_it_holds_what_it_is_given(name, value, away):
    cache = away if name == "away" else caches["default"]
    cache.set("tests:value", value, 60)
    assert (cache.get("tests:value"), cache.has_key("tests:value")) == (value, True)
    assert (cache.add("tests:value", 1), cache.delete("tests:value"), cache.get("tests:value", 7)) == (False, True, 7)


def test_it_counts_without_redis(away):
    away.add("tests:count", 1)
    assert (away.incr("tests:count"), away.get_many(["tests:count"])) == (2, {"tests:count": 2})


def test_nothing_that_redis_holds_is_run():
    with redis.Redis.from_url(caches["default"]._servers[0]) as broker:
        broker.set(caches["default"].make_key("tests:pickle"), b"cos\nsystem\n(S'exit 1'\ntR.", ex=60)
        caches["default"].set("tests:json", ["a"], 60)
        assert broker.get(caches["default"].make_key("tests:json")) == b'["a"]'
    assert caches["default"].get("tests:pickle") is None


@pytest.fixture
def without_redis(settings):
    settings.CACHES = {
        **settings.CACHES,
        "default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"},
    }


def test_signing_in_needs_no_redis_and_is_still_throttled(alice, without_redis):
    def sign_in(password: str) -> int:
        return Client().post("/accounts/login/", {"login": "alice", "password": password}).status_code

    assert sign_in("correct-horse-battery") == 302
    assert [sign_in("wrong") for _each in range(6)][-1] in {200, 429}
    assert sign_in("correct-horse-battery") != 302


@pytest.mark.parametrize("proxies", [0, 1])
def test_wrong_passwords_lock_out_only_where_they_come_from(alice, settings, proxies):
    settings.PROXIES = proxies

    def sign_in(password: str, address: str) -> bool:
        client = Client(headers={"X-Forwarded-For": address}, REMOTE_ADDR=f"10.9.{proxies}.1")
        return client.post("/accounts/login/", {"login": "alice", "password": password}).status_code == 302

    for number in range(12):
        sign_in("wrong", f"198.51.100.{number if proxies == 0 else 1}")
    assert sign_in("correct-horse-battery", f"203.0.113.{proxies}") == (proxies == 1)
    caches["default"].clear()
