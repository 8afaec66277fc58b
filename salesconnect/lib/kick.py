"""The doorbell: after commit, tell a worker that rows wait."""

import logging
import time

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

DEBOUNCE_SECONDS = 1.0
# To find out that the broker is away may take seconds, which no act should spend again and again.
BROKER, RETRY_SECONDS = "", 5.0

logger = logging.getLogger(__name__)
_sent_at: dict[str, float] = {}


def kick(task: str, *args: int | str) -> None:
    """Send the task by name once the transaction has committed.

    It is only a hint: the row is the queue, and a beat sweep finds what a lost message left. So a broker that is
    away is logged and never fails the act that has just been stored. A task without arguments looks for all rows that
    wait, so one message, which arrives a second later, speaks for every act of that second.
    """
    # Robust: what has been stored is done, whatever else keeps the message from leaving; that is logged.
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
        logger.warning("The broker is away; the sweep will start %s", task)
