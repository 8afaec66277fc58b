"""The worker's sign of life, which /readyz looks for.

The worker's main process gives it every two seconds, so that a worker whose processes are all busy still counts.
"""

import contextlib
import socket
import time

import redis
from celery.signals import heartbeat_sent, worker_process_init, worker_ready
from django.conf import settings

from salesconnect.embedded.processes import die_with_parent
from salesconnect.lib.database.limits import Limits

KEY = "salesconnect:heartbeat"
FRESH_SECONDS = 60


def key_of(host: str) -> str:
    """Return the key for the worker of one host, which the health check of its container asks for."""
    return f"{KEY}:{host}"


def client(seconds: float = 2) -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=seconds, socket_timeout=seconds)


@worker_ready.connect
@heartbeat_sent.connect
def beat(**_: object) -> None:
    """Store the time under a key that goes by itself when it is no longer fresh."""
    with contextlib.suppress(redis.RedisError), client() as broker:
        for key in (KEY, key_of(socket.gethostname())):
            broker.set(key, int(time.time()), ex=FRESH_SECONDS)


@worker_process_init.connect
def begin_process(**_: object) -> None:
    """Let the pool's processes die with a worker that was killed, and wait for no lock without end."""
    die_with_parent()
    Limits(**settings.WORKER_LIMITS).hold()
