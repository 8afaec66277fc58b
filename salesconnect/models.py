"""What the processes of the product tell each other through the database: that they live, and what beat has done."""

from django.db import models


class SignOfLife(models.Model):
    """When something last gave a sign of life, by the database's clock, and who that was."""

    BEAT, SITE = "beat", "site"

    name = models.CharField(max_length=200, primary_key=True)
    holder = models.CharField(max_length=200)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class ScheduledRun(models.Model):
    """When beat last asked for a task, so that another beat goes on where it left off."""

    name = models.CharField(max_length=200, primary_key=True)
    last_run_at = models.DateTimeField()
    total = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.name


class WriteProbe(models.Model):
    """A table that the readiness check makes grow by a page, and takes it back: only a real write tells of the disk."""

    filler = models.BinaryField()

    def __str__(self) -> str:
        return str(self.pk)
