from django.db import models


class WorkAttempt(models.Model):
    """How often in a row work on a queued row came to nothing, and when it is tried again.

    See `contacts.jobs.engine`.
    """

    queue = models.CharField(max_length=20)
    row_id = models.BigIntegerField()
    # How far the row was at the last attempt: whoever gets further begins to count anew.
    progress = models.CharField(max_length=60)
    attempts = models.PositiveSmallIntegerField(default=1)
    not_before = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint("queue", "row_id", name="work_attempt_once")]

    def __str__(self) -> str:
        return f"{self.queue} {self.row_id}: {self.attempts}"
