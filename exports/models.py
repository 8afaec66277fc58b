from django.conf import settings
from django.db import models

from contacts.models.batch import State


class ExportJob(models.Model):
    """A file of many people on its way out: who ordered it, why, of whom, and the file until it is removed."""

    State = State

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="exports")
    actor_name = models.CharField(max_length=150)
    door = models.CharField(max_length=10)
    batch = models.ForeignKey("contacts.Batch", models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500, blank=True)
    file = models.FileField(upload_to="exports/%Y/%m/", blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"export {self.pk}"
