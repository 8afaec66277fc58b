"""The state of the mail server. Its failure, or that of our access to it, stops all sending and is shown to users.

While it lasts, one mail at a time tests the server, after growing pauses; the attempt does not count for the mail.
"""

import datetime as dt
import logging
from typing import Any

from django.utils import timezone

from salesconnect.lib.database.transactions import act
from salesconnect.lib.web.redaction import redacted
from unsubscribes.mail.sending.backends import has_server
from unsubscribes.models import MailServer

PAUSES = (30, 60, 120, 300)
"""Seconds until the next attempt; the last value is repeated."""
logger = logging.getLogger(__name__)


def trouble() -> MailServer | None:
    """Return the present failure; None if the server works."""
    return MailServer.objects.filter(pk=1, since__isnull=False).first()


def status() -> dict[str, Any]:
    """Return what pages show: whether there is no mail server, and its present failure."""
    missing = not has_server()
    return {"missing": missing, "trouble": None if missing else trouble()}


def is_paused() -> bool:
    """Tell whether the next attempt is not due yet."""
    return MailServer.objects.filter(pk=1, since__isnull=False, next_at__gt=timezone.now()).exists()


@act
def failed(said: str, message_id: int) -> bool:
    """Record a failure of the server; returns False if the mail itself is the cause.

    It is if the last failure was with this very mail and the server has accepted another one since.
    """
    row, _created = MailServer.objects.select_for_update().get_or_create(pk=1)
    if row.since is None and row.message_id == message_id:
        return False
    now = timezone.now()
    row.since, row.message_id, row.said = row.since or now, message_id, redacted(said)[:500]
    row.next_at = now + dt.timedelta(seconds=PAUSES[min(row.failures, len(PAUSES) - 1)])
    row.failures += 1
    row.save()
    logger.warning("The mail server cannot be used; all mail is waiting (attempt %d): %s", row.failures, row.said)
    return True


def recovered() -> None:
    """Record that the server accepts mail."""
    over = MailServer.objects.filter(pk=1, since__isnull=False).update(since=None, failures=0, said="", next_at=None)
    if over:
        logger.info("The mail server works again")
