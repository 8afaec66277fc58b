"""Stored rows of the overview: daily figures, which cannot be calculated once people are erased, and own texts."""

from django.conf import settings
from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class DailyFigure(models.Model):
    """One figure at the end of a day. Append-only: a trigger refuses updates and deletes.

    `name` says what was counted, `key` which kind of it; `key` is empty for single numbers.
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


class ProcessingTexts(models.Model):
    """The team's texts in its record of processing activities. One row per version; the newest is in force."""

    LIMIT = 2_000

    address = models.TextField(_("Address of the controller"), max_length=LIMIT, blank=True)
    representatives = models.TextField(
        _("Joint controller, representative, data protection officer"), max_length=LIMIT, blank=True
    )
    purposes = models.TextField(_("Purposes of the processing"), max_length=LIMIT, blank=True)
    people = models.TextField(_("Categories of people and of data"), max_length=LIMIT, blank=True)
    recipients = models.TextField(_("Further recipients"), max_length=LIMIT, blank=True)
    transfers = models.TextField(_("Transfers to third countries, and their safeguards"), max_length=LIMIT, blank=True)
    limits = models.TextField(_("Time limits for erasure"), max_length=LIMIT, blank=True)
    measures = models.TextField(_("Further security measures"), max_length=LIMIT, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    actor_name = models.CharField(max_length=150)
    since = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"texts {self.pk}"
