from django.db import models
from django.db.models.functions import Now


class KeyFingerprint(models.Model):
    """A key of the environment that this database was used with, by its fingerprint.

    See `salesconnect.operations.key_fit`.
    """

    class Name(models.TextChoices):
        SUPPRESSION = "suppression"
        UNSUBSCRIBE = "unsubscribe"
        ENCRYPTION = "encryption"

    name = models.CharField(max_length=12, choices=Name)
    fingerprint = models.CharField(max_length=16)
    first_used = models.DateTimeField(db_default=Now())
    # When it was given up as lost, and what was lost with it: numbers by kind.
    given_up_at = models.DateTimeField(null=True)
    lost = models.JSONField(default=dict, db_default={})

    class Meta:
        constraints = [models.UniqueConstraint("name", "fingerprint", name="key_fingerprint_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.fingerprint}"
