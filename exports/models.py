from django.db import models
from django.db.models.functions import Now

from contacts.models import Batch
from exports.overview.models import DailyFigure

__all__ = ["DailyFigure", "ExportJob"]


class DoomedFile(models.Model):
    """A file whose row is gone: removed when that is certain, and by the sweep when a crash came between."""

    name = models.CharField(max_length=255)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name


class ExportJob(models.Model):
    """The file of a bulk export; who ordered it, of whom and how far it is stands on its batch."""

    batch = models.OneToOneField(Batch, models.PROTECT, related_name="export")
    file = models.FileField(upload_to="exports/", blank=True)
    # How much of the file is committed: what a killed worker wrote beyond it is cut off before the next chunk.
    size = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"export {self.pk}"
