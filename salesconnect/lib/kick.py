"""The doorbell: after commit, tell a worker that rows wait."""

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def kick(task: str, *args: int | str) -> None:
    """Send the task by name once the transaction has committed.

    It is only a hint: the row is the queue, and a beat sweep finds what a lost message left. So a broker that is
    away is logged and never fails the act that has just been stored.
    """
    transaction.on_commit(lambda: _send(task, args))


def _send(task: str, args: tuple[int | str, ...]) -> None:
    try:
        current_app.send_task(task, args=args, retry=False)
    except (OperationalError, OSError):
        logger.warning("The broker is away; the sweep will start %s", task)
