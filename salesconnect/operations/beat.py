"""Celery's beat with its schedule in the database. Of several beats one is active, the others stand by."""

import logging
import os
import socket
from typing import Any

from celery.beat import Scheduler as CelerysScheduler
from django.conf import settings
from django.db import Error, connection, transaction

from salesconnect.lib.database import failures
from salesconnect.lib.database.limits import StatementLimits
from salesconnect.models import ScheduledRun, SignOfLife

# Without a heartbeat for so long, the active beat counts as dead.
DEAD_SECONDS = 20
WAIT_SECONDS = 5.0

# Takes or renews a lease, if we hold it or its holder counts as dead. Each standby has a row too, to be counted.
_TAKE = """
INSERT INTO salesconnect_signoflife AS sign (name, holder, at) VALUES (%(name)s, %(me)s, now())
ON CONFLICT (name) DO UPDATE SET holder = EXCLUDED.holder, at = EXCLUDED.at
WHERE sign.holder = EXCLUDED.holder OR sign.at < now() - make_interval(secs => %(dead)s)
RETURNING holder
"""
_REMEMBER = """
INSERT INTO salesconnect_scheduledrun (name, last_run_at, total) VALUES (%s, %s, %s)
ON CONFLICT (name) DO UPDATE SET last_run_at = EXCLUDED.last_run_at, total = EXCLUDED.total
"""

logger = logging.getLogger(__name__)


class Scheduler(CelerysScheduler):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.me = f"{socket.gethostname()}:{os.getpid()}:{os.urandom(4).hex()}"
        self.at_work: bool | None = None
        super().__init__(*args, **kwargs)

    def setup_schedule(self) -> None:
        """Load the schedule of the settings. When each task last ran is read once this beat becomes active."""
        self.install_default_entries({})
        self.merge_inplace(self.app.conf.beat_schedule)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send the due tasks if this beat is active; return the seconds until the next tick."""
        try:
            with StatementLimits(**settings.SITE_LIMITS).held():
                if not self._takes_the_work():
                    return WAIT_SECONDS
                # Each tick renews the lease, so ticks must come well within DEAD_SECONDS.
                return min(super().tick(*args, **kwargs), WAIT_SECONDS)
        except Error as problem:
            logger.warning("Beat is waiting for the database: %s", failures.in_one_line(problem))
            connection.close()
            return WAIT_SECONDS

    def reserve(self, entry: Any) -> Any:
        following: Any = super().reserve(entry)
        with connection.cursor() as cursor:
            cursor.execute(_REMEMBER, [following.name, following.last_run_at, following.total_run_count])
        return following

    def close(self) -> None:
        """Release the lease, so that a standby takes over at once."""
        try:
            SignOfLife.objects.filter(holder=self.me).delete()
        except Error as problem:
            logger.warning("Beat could not release its lease: %s", failures.in_one_line(problem))
        super().close()

    def _takes_the_work(self) -> bool:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_TAKE, {"name": SignOfLife.BEAT, "me": self.me, "dead": DEAD_SECONDS})
            mine = cursor.fetchone() is not None
            waiting = SignOfLife.objects.filter(name=self._waiting)
            if mine:
                waiting.delete()
            else:
                cursor.execute(_TAKE, {"name": self._waiting, "me": self.me, "dead": DEAD_SECONDS})
        if mine and not self.at_work:
            self._recall()
        if mine is not self.at_work:
            logger.warning("This beat is now active" if mine else "Another beat is active; this one stands by")
        self.at_work = mine
        return mine

    @property
    def _waiting(self) -> str:
        return f"{SignOfLife.BEAT} waiting {self.me}"

    def _recall(self) -> None:
        """Continue the schedule of the previous beat. New entries are stored now, so that they survive this beat."""
        entries: list[Any] = list(self.schedule.values())
        new = [ScheduledRun(name=entry.name, last_run_at=entry.last_run_at) for entry in entries]
        ScheduledRun.objects.bulk_create(new, ignore_conflicts=True)
        for run in ScheduledRun.objects.filter(name__in=self.schedule):
            entry = self.schedule[run.name]
            entry.last_run_at, entry.total_run_count = run.last_run_at, run.total
        self._heap = None
