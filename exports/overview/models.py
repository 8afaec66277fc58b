"""What the overview keeps: the figures of each day, which nothing could tell any more once people are erased."""

from django.contrib.postgres.functions import TransactionNow
from django.db import models


class DailyFigure(models.Model):
    """A figure as it stood at the end of a day; rows are only ever added, a trigger refuses the rest.

    `name` says what was counted and `key` of which kind, empty where there is one number alone.
    """

    day = models.DateField()
    name = models.CharField(max_length=30)
    key = models.CharField(max_length=30, blank=True)
    number = models.BigIntegerField()
    counted_at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        constraints = [models.UniqueConstraint("day", "name", "key", name="daily_figure_once")]

    def __str__(self) -> str:
        return f"{self.day} {self.name} {self.key}"
