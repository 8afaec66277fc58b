"""The heartbeats of worker and beat, for health checks and metrics."""

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
    """Tell whether a beat of this host, active or standby, has sent a heartbeat within a minute."""
    return any(holder.split(":")[0] == host and age < FRESH_SECONDS for _name, holder, age in _beats())


def worker_age() -> float | None:
    """Return the age of the newest worker heartbeat in seconds; None if it has expired."""
    with heartbeat.client(seconds=1) as broker:
        at = broker.get(heartbeat.KEY)
    return None if at is None else max(0.0, time.time() - int(at))


def beat_age() -> float | None:
    """Return the age of the active beat's heartbeat in seconds; None if there is none."""
    return next((age for name, _holder, age in _beats() if name == SignOfLife.BEAT), None)


def beats_waiting() -> int:
    """Return how many beats stand by."""
    return sum(name != SignOfLife.BEAT and age < FRESH_SECONDS for name, _holder, age in _beats())


def _beats() -> list[tuple[str, str, float]]:
    rows = SignOfLife.objects.filter(name__startswith=SignOfLife.BEAT).annotate(since=Now() - F("at"))
    return [(row.name, row.holder, row.since.total_seconds()) for row in rows]


def forget_beat() -> None:
    """Remove the heartbeats of all beats. Only for an embedded database, which no other installation uses."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM salesconnect_signoflife WHERE name LIKE %s", [f"{SignOfLife.BEAT}%"])
