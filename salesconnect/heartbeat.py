"""The worker's sign of life, which /readyz looks for.

The worker's main process gives it every two seconds, so that a worker whose processes are all busy still counts.
"""

import contextlib
import time

import redis
from celery.signals import heartbeat_sent, worker_process_init, worker_ready
from django.conf import settings

from salesconnect.embedded.processes import die_with_parent
from salesconnect.lib.limits import Limits

KEY = "salesconnect:heartbeat"
FRESH_SECONDS = 60


def client() -> redis.Redis:
    """Return a client of the broker that gives up after two seconds."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=2)


@worker_ready.connect
@heartbeat_sent.connect
def beat(**_: object) -> None:
    """Store the time under a key that goes by itself when it is no longer fresh."""
    with contextlib.suppress(redis.RedisError), client() as broker:
        broker.set(KEY, int(time.time()), ex=FRESH_SECONDS)


@worker_process_init.connect
def begin_process(**_: object) -> None:
    """Let the pool's processes die with a worker that was killed, and wait for no lock without end."""
    die_with_parent()
    Limits(**settings.WORKER_LIMITS).hold()
