"""Keys to the API: made once, shown once, stored as a digest."""

import datetime as dt
import hashlib
import secrets

from django.db.models import Q
from django.utils import timezone

from contacts.models import ApiToken, User

LAST_USED_PRECISION = dt.timedelta(hours=1)


def make(user: User, name: str) -> str:
    """Return a new token of `user`, 256 random bits; it cannot be shown again."""
    token = secrets.token_urlsafe(32)
    ApiToken.objects.create(user=user, name=name, digest=_digest(token))
    return token


def find(token: str) -> ApiToken | None:
    """Return the stored token with its active user, or None; notes the use at most once an hour."""
    found = ApiToken.objects.select_related("user").filter(digest=_digest(token), user__is_active=True).first()
    if found:
        now = timezone.now()
        old = Q(last_used_at=None) | Q(last_used_at__lt=now - LAST_USED_PRECISION)
        if found.last_used_at is None or found.last_used_at < now - LAST_USED_PRECISION:
            ApiToken.objects.filter(old, pk=found.pk).update(last_used_at=now)
    return found


def revoke(user: User, token_id: int) -> bool:
    return bool(ApiToken.objects.filter(user=user, pk=token_id).delete()[0])


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
