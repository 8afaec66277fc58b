from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.utils.translation import gettext_lazy as _

from contacts.models.merge import OnMerge
from contacts.models.user import User


class State(models.TextChoices):
    """The states of everything a worker does: bulk changes, imports, exports, runs of the sync."""

    QUEUED = "queued", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")
    WAITING = "waiting", _("Waits for approval")


OPEN = (State.QUEUED, State.RUNNING)
ENDED = (State.DONE, State.FAILED, State.CANCELLED)


class Job(models.Model):
    """What a row of background work has, of whatever kind; see `contacts.jobs.engine`."""

    State = State

    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    actor_name = models.CharField(max_length=150)
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    @property
    def ended(self) -> bool:
        return self.state in ENDED


class Batch(Job):
    """A bulk order: who ordered what, for whom it was approved, and how far it is.

    The people are frozen into chunks when the order is given. A chunk's row lock is its lease, so a killed worker
    leaves nothing behind: its transaction is gone and another worker takes the same chunk.
    """

    kind = models.CharField(max_length=30)
    params = models.JSONField(default=dict)
    selection = models.JSONField(default=dict)
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="batches")
    door = models.CharField(max_length=10)
    undoes = models.ForeignKey("self", models.PROTECT, null=True, related_name="undone_by")
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    refused = models.JSONField(default=dict)
    error = models.CharField(max_length=300, blank=True)
    # The database's clock, as that of the events: an undo looks for events from this moment on.
    created_at = models.DateTimeField(db_default=TransactionNow(), editable=False)
    # Who approved it, where a second administrator had to.
    approved_by = models.CharField(max_length=150, blank=True, db_default="", editable=False)
    # Whether the words of the order are still here; those of one that ended long ago are not needed.
    names_kept = models.BooleanField(db_default=True, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["created_at", "id"], name="batch_by_time"),
            models.Index(
                fields=["finished_at"],
                condition=models.Q(names_kept=True, finished_at__isnull=False),
                name="batch_names_by_end",
            ),
            models.Index(fields=["id"], condition=models.Q(state__in=OPEN), name="batch_open"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class BatchRefusal(models.Model):
    """A person whom a batch left as it was, and why. The number outlives the person, as that of an event does."""

    on_merge = OnMerge.STAYS

    batch = models.ForeignKey(Batch, models.CASCADE, related_name="refusals")
    contact_id = models.BigIntegerField()
    reason = models.CharField(max_length=30)

    class Meta:
        constraints = [models.UniqueConstraint("batch", "contact_id", name="refusal_once_per_batch")]

    def __str__(self) -> str:
        return f"{self.batch_id}: {self.contact_id} {self.reason}"


class BatchChunk(models.Model):
    """A few thousand people of a batch, handled in one transaction."""

    batch = models.ForeignKey(Batch, models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    contact_ids = ArrayField(models.BigIntegerField())
    done = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint("batch", "number", name="chunk_once_per_batch")]

    def __str__(self) -> str:
        return f"{self.batch_id}/{self.number}"
