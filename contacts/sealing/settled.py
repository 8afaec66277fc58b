"""Up to which number the history can be read so that nothing turns up below it later.

Numbers of events come from a sequence and commit in any order. The last number is read first, then who is writing
events just then; when those transactions have ended, every event up to that number is there for good. Most end within
milliseconds, so a reader waits a moment for them; behind one that lasts longer, what the sealing knows is the answer.
"""

import time

from django.db import connection

from contacts.models import SealHorizon
from contacts.sealing.sealing import last_settled, writers

WAIT_SECONDS = 0.3
POLL_SECONDS = 0.01


def settled() -> int:
    """Return the id up to which all events are committed: none can appear at or below it any more."""
    number = _last_number()
    ahead = set(writers())
    deadline = time.monotonic() + WAIT_SECONDS
    while ahead and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        ahead &= set(writers())
    return _settled_by_seals() if ahead else number


def _last_number() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM contacts_contactevent_id_seq")
        return int(cursor.fetchone()[0])


def _settled_by_seals() -> int:
    horizon = SealHorizon.objects.filter(pk=1).first()
    over = horizon is not None and not set(horizon.writers) & set(writers())
    return max(last_settled(), horizon.reached if horizon and over else 0)
