from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from contacts.models.user import User


class Seal(models.Model):
    """A Merkle tree over a piece of the history, linked to the seal before. Rows are only ever added; so with leaves.

    `root` is what is published. Every event up to the number `settled` is in this seal or an earlier one; whatever
    turns up below it later was slipped in.
    """

    number = models.BigIntegerField(primary_key=True)
    events = models.PositiveIntegerField()
    tree = models.BinaryField()
    previous = models.BinaryField()
    settled = models.BigIntegerField()
    sealed_at = models.DateTimeField()
    root = models.BinaryField()

    class Meta:
        managed = False
        ordering = ["number"]

    def __str__(self) -> str:
        return f"seal {self.number}"


class SealedLeaf(models.Model):
    """Where an event stands in which seal, and how its readable values are covered: by a salted commitment.

    Whoever scrubs an event takes the salt too (a trigger does), so that nothing is left to guess the values from.
    """

    event_id = models.BigIntegerField(primary_key=True)
    seal_number = models.BigIntegerField()
    position = models.PositiveIntegerField()
    salt = models.UUIDField(null=True)
    commitment = models.BinaryField()
    hash = models.BinaryField()

    class Meta:
        managed = False

    def __str__(self) -> str:
        return f"event {self.event_id} in seal {self.seal_number}"


class SealHorizon(models.Model):
    """How far the sealing looks next: event numbers up to `reached` are settled once `writers` have ended. One row."""

    reached = models.BigIntegerField(default=0)
    writers = ArrayField(models.CharField(max_length=40), default=list)

    class Meta:
        constraints = [models.CheckConstraint(name="seal_horizon_one_row", condition=Q(pk=1))]

    def __str__(self) -> str:
        return f"up to {self.reached}"


class Verification(models.Model):
    """One recomputation of the whole history, how far it is, and what it found."""

    class Problem(models.TextChoices):
        CHANGED = "changed", _("This event was changed.")
        REMOVED = "removed", _("This event was removed.")
        SLIPPED_IN = "slipped_in", _("This event was slipped in.")
        SCRUBBED = "scrubbed", _("The values of this event were erased without an act that erased the person.")
        SEAL = "seal", _("The seal of this event was changed.")
        LINK = "link", _("The seal of this event is not linked to the one before.")
        BROKEN = "broken", _("The verification could not be carried out; the reason is in the log.")
        PUBLISHED = "published", _("The seal of this event differs from the root that was published.")

    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    actor_name = models.CharField(max_length=150)
    started_at = models.DateTimeField(db_default=Now())
    heartbeat_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    # Everything up to this event, then up to this seal, is checked.
    after_event = models.BigIntegerField(null=True)
    events_done = models.BooleanField(default=False)
    after_seal = models.BigIntegerField(default=0)
    newest_at = models.DateTimeField(null=True)
    events = models.BigIntegerField(default=0)
    unsealed = models.BigIntegerField(default=0)
    good = models.BooleanField(null=True)
    problem = models.CharField(max_length=12, choices=Problem, blank=True)
    bad_event = models.BigIntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["id"], condition=Q(good=None), name="verification_open")]

    def __str__(self) -> str:
        return f"verification {self.pk}"


class RootPlaces(models.Model):
    """Where the roots of seals go beside the file, so that they are out of the keeper's reach. One row."""

    mail_to = models.EmailField(_("Mail to"), blank=True)
    webhook_url = models.URLField(_("Webhook"), max_length=500, blank=True)
    timestamp_url = models.URLField(_("Timestamp authority (RFC 3161)"), max_length=500, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(name="root_places_one_row", condition=Q(pk=1))]

    def __str__(self) -> str:
        return "places"


class RootDelivery(models.Model):
    """How far the roots are on one of their ways: the newest covers all before it, so one number says it."""

    way = models.CharField(max_length=10, primary_key=True)
    sent = models.BigIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(db_default=Now())
    error = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"{self.way} up to {self.sent}"


class RootTimestamp(models.Model):
    """What a timestamp authority signed: that the root, as 64 hexadecimal digits, was there at that moment."""

    seal_number = models.BigIntegerField()
    authority = models.CharField(max_length=500)
    at = models.DateTimeField()
    token = models.BinaryField()

    def __str__(self) -> str:
        return f"seal {self.seal_number} at {self.at}"
