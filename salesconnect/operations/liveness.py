"""The signs of life of worker and beat, as health checks and figures ask for them."""

import time

from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from salesconnect.models import SignOfLife
from salesconnect.operations import heartbeat

FRESH_SECONDS = 60


def worker_lives(host: str) -> bool:
    with heartbeat.client() as broker:
        return bool(broker.exists(heartbeat.key_of(host)))


def beat_lives(host: str) -> bool:
    """Tell whether a beat of this host, at work or waiting, has given a sign within a minute."""
    return any(holder.split(":")[0] == host and age < FRESH_SECONDS for _name, holder, age in _beats())


def worker_age() -> float | None:
    """Return how many seconds ago some worker gave a sign, None when that is too long ago."""
    with heartbeat.client(seconds=1) as broker:
        at = broker.get(heartbeat.KEY)
    return None if at is None else max(0.0, time.time() - int(at))


def beat_age() -> float | None:
    """Return how many seconds ago the beat at work gave a sign, None when there was none."""
    return next((age for name, _holder, age in _beats() if name == SignOfLife.BEAT), None)


def beats_waiting() -> int:
    """Return how many beats wait for the one at work to end."""
    return sum(name != SignOfLife.BEAT and age < FRESH_SECONDS for name, _holder, age in _beats())


def _beats() -> list[tuple[str, str, float]]:
    rows = SignOfLife.objects.filter(name__startswith=SignOfLife.BEAT).annotate(since=Now() - F("at"))
    return [(row.name, row.holder, row.since.total_seconds()) for row in rows]


def forget_beat() -> None:
    """Forget the beat of a product that has ended, where no other can be at work."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM salesconnect_signoflife WHERE name LIKE %s", [f"{SignOfLife.BEAT}%"])
