"""Tables through which the processes communicate: heartbeats, beat's schedule, and the readiness probe."""

from django.db import models


class SignOfLife(models.Model):
    """The last heartbeat of a process by name, in the database's time; `holder` identifies the process."""

    BEAT, SITE = "beat", "site"

    name = models.CharField(max_length=200, primary_key=True)
    holder = models.CharField(max_length=200)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class ScheduledRun(models.Model):
    """When beat last sent a task, so that another beat can continue the schedule."""

    name = models.CharField(max_length=200, primary_key=True)
    last_run_at = models.DateTimeField()
    total = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.name


class WriteProbe(models.Model):
    """The table to which the readiness check writes, in a transaction that it rolls back, to detect a full disk."""

    filler = models.BinaryField()

    def __str__(self) -> str:
        return str(self.pk)
