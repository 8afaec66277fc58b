"""Wakes a worker after the commit: it sends a Celery message that says that rows wait."""

import logging
import time

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

DEBOUNCE_SECONDS = 1.0
# A failing connection attempt to the broker may take seconds, so for some seconds after one nothing is sent.
BROKER, RETRY_SECONDS = "", 5.0

logger = logging.getLogger(__name__)
_sent_at: dict[str, float] = {}


def kick(task: str, *args: int | str) -> None:
    """Send the task by name once the transaction has committed.

    The message is only a hint: the row is the queue, and a periodic sweep finds rows whose message was lost. So an
    unavailable broker is logged and never fails the act. A task without arguments handles all waiting rows, so such
    messages are debounced: one is sent per second and process, delayed by that second.
    """
    # Robust: the act is committed, so no error here may reach its caller; Django logs it.
    transaction.on_commit(lambda: _send(task, args), robust=True)


def _send(task: str, args: tuple[int | str, ...]) -> None:
    now = time.monotonic()
    if (not args and now < _sent_at.get(task, 0.0) + DEBOUNCE_SECONDS) or now < _sent_at.get(BROKER, 0.0):
        return
    try:
        current_app.send_task(task, args=args, retry=False, countdown=None if args else DEBOUNCE_SECONDS)
        _sent_at[task] = now
    except (OperationalError, RedisError, OSError):
        _sent_at[BROKER] = time.monotonic() + RETRY_SECONDS
        logger.warning("The broker is unavailable; %s starts with the next sweep", task)
