from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from salesconnect.lib.role_registry import Role


class User(AbstractUser):
    """Somebody who signs in. The role decides what they may do; see `salesconnect.lib.role_registry`."""

    Role = Role

    class Theme(models.TextChoices):
        AUTO = "auto", _("As the device")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    role = models.CharField(_("role"), max_length=20, choices=Role, default=Role.MEMBER)
    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES, blank=True)
    theme = models.CharField(_("theme"), max_length=5, choices=Theme, default=Theme.AUTO)
    shortcuts = models.BooleanField(_("single-key shortcuts"), default=True)
    # Whether a change of the address, just made, was told at the old one, if there was one; see `email_change`.
    old_address_told = True

    def __str__(self) -> str:
        return self.get_full_name() or self.username


class ApiToken(models.Model):
    """A key to the API, stored as its SHA-256 digest; the token itself is shown once, when it is made."""

    user = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    name = models.CharField(_("name"), max_length=100)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class SavedView(models.Model):
    """A name for a view of the People page: the query string that holds its search, filters, order and columns."""

    user = models.ForeignKey(User, models.CASCADE, related_name="saved_views")
    name = models.CharField(_("name"), max_length=60)
    query = models.TextField()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint("user", "name", name="saved_view_once_per_user")]

    def __str__(self) -> str:
        return self.name


class IdempotentReply(models.Model):
    """The first answer to an `Idempotency-Key`, given again to a repeat within 24 hours."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint("user", "key", name="idempotency_key_once_per_user")]

    def __str__(self) -> str:
        return self.key
