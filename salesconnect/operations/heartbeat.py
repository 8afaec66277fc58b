"""The worker's heartbeat in Redis, which /readyz checks.

The worker's main process sends it every two seconds, so a worker whose processes are all busy still counts as alive.
"""

import contextlib
import socket
import time

import redis
from celery.signals import heartbeat_sent, worker_process_init, worker_ready
from django.conf import settings

from salesconnect.embedded.processes import die_with_parent
from salesconnect.lib.database.limits import StatementLimits

KEY = "salesconnect:heartbeat"
FRESH_SECONDS = 60


def key_of(host: str) -> str:
    """Return the key of one host's worker, for the health check of its container."""
    return f"{KEY}:{host}"


def client(seconds: float = 2) -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=seconds, socket_timeout=seconds)


@worker_ready.connect
@heartbeat_sent.connect
def beat(**_: object) -> None:
    """Store the time under keys that expire when the heartbeat is too old."""
    # A broker that is away must not end the worker; its missing heartbeat is what /readyz reports.
    with contextlib.suppress(redis.RedisError), client() as broker:
        for key in (KEY, key_of(socket.gethostname())):
            broker.set(key, int(time.time()), ex=FRESH_SECONDS)


@worker_process_init.connect
def begin_process(**_: object) -> None:
    """Make pool processes end with their worker, and limit how long they wait for locks."""
    die_with_parent()
    StatementLimits(**settings.WORKER_LIMITS).hold()
