"""Requests that a client may send twice without harm: the first answer under a key is given again for 24 hours."""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts.models import IdempotentReply
from salesconnect.lib.database.transactions import act
from salesconnect.lib.errors import Conflict, Invalid

KEPT = dt.timedelta(hours=24)
KEY_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a request, and whether it is the repeat of an earlier one."""

    status: int
    body: Any
    repeated: bool


@act
def once(user_id: int, key: str, digest: str, act: Callable[[], tuple[int, Any]]) -> Reply:
    """Run `act` unless the user's `key` has been answered within 24 hours; return its status and body, or those.

    1. Take the key; the lock goes with the transaction, so a killed request leaves nothing behind. 2. Look for the
    answer. 3. Act. 4. Store the answer, in the act's own transaction: what raises stores nothing. Raises `Conflict`:
    `in_progress` while the first request still runs, `key_reused` when the key came with another request.
    """
    if not 0 < len(key) <= KEY_LENGTH:
        raise Invalid({"Idempotency-Key": [_("A key has from 1 to 255 characters.")]})
    if not _taken(f"{user_id} {key}"):
        raise Conflict("in_progress", _("The first request with this Idempotency-Key is still running."))
    mine = IdempotentReply.objects.filter(user_id=user_id, key=key)
    mine.filter(created_at__lt=timezone.now() - KEPT).delete()
    if stored := mine.first():
        if stored.fingerprint != digest:
            raise Conflict("key_reused", _("This Idempotency-Key was used for another request."))
        return Reply(stored.status, stored.body, repeated=True)
    status, body = act()
    IdempotentReply.objects.create(user_id=user_id, key=key, fingerprint=digest, status=status, body=body)
    return Reply(status, body, repeated=False)


def fingerprint(path: str, body: Any) -> str:
    """Return what tells two requests apart: the SHA-256 of the path and the body, files by their content."""
    fields = {name: _plain(value) for name, value in body.items()} if isinstance(body, Mapping) else body
    return hashlib.sha256(json.dumps([path, fields], sort_keys=True).encode()).hexdigest()


def forget() -> int:
    return IdempotentReply.objects.filter(created_at__lt=timezone.now() - KEPT).delete()[0]


def _taken(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [name])
        return cursor.fetchone()[0]


def _plain(value: Any) -> Any:
    if not isinstance(value, UploadedFile):
        return value
    value.seek(0)
    digest = hashlib.sha256()
    for chunk in value.chunks():
        digest.update(chunk)
    value.seek(0)
    return [value.name, digest.hexdigest()]
