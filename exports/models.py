import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from compliance.card.rules import TEXT_LIMIT
from contacts.models import Batch, Contact, OnMerge
from exports.overview.models import DailyFigure, ProcessingTexts

__all__ = ["DailyFigure", "ExportJob", "ProcessingTexts"]


ANSWER_LIMIT = 2_000


class DeletionSettings(models.Model):
    """The team's deletion settings, in one row.

    `erased_months`: how long the address hash of a person who asked to be erased is kept. `approval_above`: a second
    administrator must approve the deletion of more people than this; never, if it is empty.
    """

    erased_months = models.PositiveSmallIntegerField(
        _("Months for which the address of somebody who asked to be erased is remembered"), default=12
    )
    approval_above = models.PositiveIntegerField(
        _("A second administrator approves the deletion of more people than"), null=True, blank=True
    )

    class Meta:
        constraints = [
            models.CheckConstraint(name="deletion_settings_one_row", condition=models.Q(pk=1)),
            models.CheckConstraint(
                name="deletion_settings_months_are_some",
                condition=models.Q(erased_months__range=(1, 120)),
                violation_error_message=_("Remember it for 1 to 120 months."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.erased_months} months"


class PendingFileDeletion(models.Model):
    """A file to be deleted once this row is committed; the sweep deletes it if the process died before that."""

    name = models.CharField(max_length=255)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "exports_doomedfile"

    def __str__(self) -> str:
        return self.name


class ExportJob(models.Model):
    """The file of a bulk export. Its batch says who ordered it, of whom, and how far it is."""

    batch = models.OneToOneField(Batch, models.PROTECT, related_name="export")
    file = models.FileField(upload_to="exports/", blank=True)
    # Bytes of the file that are committed. What a killed worker wrote beyond them is cut off before the next chunk.
    size = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"export {self.pk}"


class RecordCheck(models.Model):
    """One run of the record checks; `differences` lists the checks that found something, with numbers."""

    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    mends = models.BooleanField(default=False)
    found = models.PositiveBigIntegerField(default=0)
    left = models.PositiveBigIntegerField(default=0)
    differences = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"check {self.pk}"


class DataRequest(models.Model):
    """A request of a data subject (GDPR art. 15 to 21): what is asked for, when it is due, and its outcome.

    It outlives the person: an erasure leaves kind, dates and outcome, and nothing that tells who it was.
    """

    on_merge = OnMerge.MOVES

    class Kind(models.TextChoices):
        ACCESS = "access", _("Access")
        RECTIFICATION = "rectification", _("Rectification")
        ERASURE = "erasure", _("Erasure")
        RESTRICTION = "restriction", _("Restriction")
        PORTABILITY = "portability", _("Portability")
        OBJECTION = "objection", _("Objection")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        PAUSED = "paused", _("Paused")
        DONE = "done", _("Done")

    class Outcome(models.TextChoices):
        CARRIED_OUT = "carried_out", _("Carried out")
        REFUSED = "refused", _("Refused")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        ERASED = "erased", _("The person was erased")

    class ExtensionKind(models.TextChoices):
        """The only reasons for an extension by two months (GDPR art. 12(3))."""

        COMPLEXITY = "complexity", _("The request is complex")
        NUMBER = "number", _("There are many requests")

    class PauseKind(models.TextChoices):
        """The only reasons that pause the deadline (GDPR art. 12(6); EDPB guidelines 01/2022, 157 to 159)."""

        IDENTITY = "identity", _("The person was asked who they are")
        CLARIFICATION = "clarification", _("The person was asked what they mean")

    kind = models.CharField(_("What is asked for"), max_length=15, choices=Kind)
    contact = models.ForeignKey(Contact, models.SET_NULL, null=True, related_name="requests")
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    received = models.DateField(_("Received"))
    due = models.DateField()
    identity_check = models.CharField(_("How the identity was checked"), max_length=TEXT_LIMIT, blank=True)
    handler = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="requests")
    actor_name = models.CharField(max_length=150)
    extended_on = models.DateField(null=True)
    extension_kind = models.CharField(max_length=15, choices=ExtensionKind, blank=True)
    extension_reason = models.CharField(max_length=TEXT_LIMIT, blank=True)
    told_on = models.DateField(null=True)
    # The day on which the person was asked. The deadline is paused from that day on.
    paused_on = models.DateField(null=True)
    pause_kind = models.CharField(max_length=15, choices=PauseKind, blank=True)
    pause_reason = models.CharField(max_length=TEXT_LIMIT, blank=True)
    paused_days = models.PositiveIntegerField(default=0)
    resumed_on = models.DateField(null=True)
    # How late the answer was. For a request that is not done, `open_requests.days_late` calculates it.
    late_by = models.PositiveIntegerField(default=0)
    outcome = models.CharField(max_length=15, choices=Outcome, blank=True)
    answer = models.CharField(_("What was answered"), max_length=ANSWER_LIMIT, blank=True)
    done_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(fields=["due", "id"], condition=~models.Q(state="done"), name="request_by_due"),
            models.Index(fields=["state", "id"], name="request_by_state"),
        ]
        constraints = [
            models.CheckConstraint(
                name="request_done_has_outcome",
                condition=(models.Q(state="done") & ~models.Q(outcome="") & models.Q(done_at__isnull=False))
                | (~models.Q(state="done") & models.Q(outcome="", done_at=None)),
            )
        ]

    def __str__(self) -> str:
        return f"request {self.pk}"

    @property
    def ended(self) -> bool:
        return self.state == self.State.DONE


class IdentityNote(models.Model):
    """One note on how the identity of the data subject was checked. Only an erasure changes it: it empties the text."""

    request = models.ForeignKey(DataRequest, models.CASCADE, related_name="identity_notes")
    text = models.CharField(max_length=TEXT_LIMIT)
    # Both are unknown for notes from the time when only the newest note of a request was stored.
    actor_name = models.CharField(max_length=150, blank=True)
    at = models.DateTimeField(db_default=Now(), null=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"identity note {self.pk}"


class RequestLook(models.Model):
    """The last day, in the site's time zone, on which a user viewed a request: one event for each user and day."""

    request = models.ForeignKey(DataRequest, models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    day = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["request", "user"], name="request_look_once")]

    def __str__(self) -> str:
        return f"{self.user_id} at request {self.request_id}"


class RetentionRule(models.Model):
    """Which people are kept too long, and what is done: list them, warn the team, erase them (GDPR art. 5(1)(e))."""

    class Since(models.TextChoices):
        CREATED = "created", _("since created")
        UPDATED = "updated", _("since last changed")

    class Step(models.TextChoices):
        LIST = "list", _("List them")
        WARN = "warn", _("List and warn")
        ERASE = "erase", _("List, warn and erase")

    name = models.CharField(_("Name"), max_length=100, unique=True)
    active = models.BooleanField(_("Active"), default=True)
    # Slugs, including `not_recorded`; empty means any.
    source_type = models.CharField(_("Source"), max_length=20, blank=True)
    authorization_type = models.CharField(_("Authorization"), max_length=25, blank=True)
    age_months = models.PositiveSmallIntegerField(_("Held for, in months"), null=True, blank=True)
    age_since = models.CharField(_("Counted"), max_length=10, choices=Since, default=Since.CREATED)
    inactive_months = models.PositiveSmallIntegerField(_("Inactive for (months)"), null=True, blank=True)
    step = models.CharField(_("What happens"), max_length=10, choices=Step, default=Step.LIST)
    warn_days = models.PositiveSmallIntegerField(_("Days between warning and erasure"), default=30)
    actor_name = models.CharField(max_length=150)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="retention_rule_has_a_period",
                condition=models.Q(age_months__gte=1) | models.Q(inactive_months__gte=1),
                violation_error_message=_("Say how long, in one of the two: without a period it would meet everybody."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class RetentionCase(models.Model):
    """A person who matches a rule: when that was listed, and when the erasure was announced."""

    on_merge = OnMerge.GOES

    rule = models.ForeignKey(RetentionRule, models.CASCADE, related_name="cases")
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="retention_cases")
    listed_at = models.DateTimeField(db_default=Now())
    warned_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rule", "contact"], name="retention_case_once")]

    def __str__(self) -> str:
        return f"{self.contact_id} under rule {self.rule_id}"

    @property
    def erased_from(self) -> dt.datetime | None:
        """Return the moment from which a run erases the person; None if no erasure is announced."""
        if self.warned_at is None or self.rule.step != RetentionRule.Step.ERASE:
            return None
        return self.warned_at + dt.timedelta(days=self.rule.warn_days)
