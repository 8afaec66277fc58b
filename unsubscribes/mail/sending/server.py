"""How the mail server does. Its trouble, or ours with it, is no mail's fault: it stops the turn and is said aloud.

While there is trouble one mail after the other tries it again, after growing pauses, and no mail is charged for it.
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
"""Seconds until the next attempt; the last goes on for as long as the trouble does."""
logger = logging.getLogger(__name__)


def trouble() -> MailServer | None:
    """Return the trouble that there is now; None when all is well."""
    return MailServer.objects.filter(pk=1, since__isnull=False).first()


def status() -> dict[str, Any]:
    """Return what pages say of the mail server: that it is missing, or what trouble there is."""
    missing = not has_server()
    return {"missing": missing, "trouble": None if missing else trouble()}


def is_paused() -> bool:
    """Tell whether it is not yet time for the next attempt."""
    return MailServer.objects.filter(pk=1, since__isnull=False, next_at__gt=timezone.now()).exists()


@act
def failed(said: str, message_id: int) -> bool:
    """Put trouble on record that a mail met; returns False when it is the mail's own.

    It is where this very mail met the last trouble, and the server took another one since.
    """
    row, _created = MailServer.objects.select_for_update().get_or_create(pk=1)
    if row.since is None and row.message_id == message_id:
        return False
    now = timezone.now()
    row.since, row.message_id, row.said = row.since or now, message_id, redacted(said)[:500]
    row.next_at = now + dt.timedelta(seconds=PAUSES[min(row.failures, len(PAUSES) - 1)])
    row.failures += 1
    row.save()
    logger.warning("The mail server cannot be used, so all mail waits (attempt %d): %s", row.failures, row.said)
    return True


def recovered() -> None:
    """Put on record that the server takes mail."""
    over = MailServer.objects.filter(pk=1, since__isnull=False).update(since=None, failures=0, said="", next_at=None)
    if over:
        logger.info("The mail server works again")
