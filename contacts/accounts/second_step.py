"""Two-factor authentication: its secrets are encrypted in the database."""

import base64
import logging
import secrets
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.db import transaction

from salesconnect.lib.encryption import decrypt, encrypt, is_encrypted

logger = logging.getLogger(__name__)


class SecondStepAdapter(DefaultMFAAdapter):
    """Encrypts the secret of the authenticator app, and what recovery codes are made from, with the site's own key."""

    def encrypt(self, text: str) -> str:
        return encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Return the text; what was stored before it was encrypted is readable as it is.

        When no configured key decrypts it, the result is a random secret, so that no code matches: anybody could
        compute the codes of an empty one.
        """
        if not is_encrypted(encrypted_text):
            return encrypted_text
        text = decrypt(encrypted_text)
        if text is None:
            logger.error("A second step of sign-in cannot be checked: no encryption key opens its secret")
            return base64.b32encode(secrets.token_bytes(20)).decode()
        return text


def encrypted_data(data: dict[str, Any]) -> dict[str, Any]:
    """Return an authenticator's data encrypted with the newest key; what no key opens stays as it is."""
    return {name: _encrypted(value) for name, value in data.items()}


@transaction.atomic
def reencrypt() -> int:
    """Encrypt every second step with the newest key; returns how many there are."""
    rows = Authenticator.objects.select_for_update().order_by("pk")
    for row in rows:
        row.data = encrypted_data(row.data)
        row.save(update_fields=["data"])
    return len(rows)


def _encrypted(value: Any) -> Any:
    if isinstance(value, list):
        return [_encrypted(each) for each in value]
    if not isinstance(value, str):
        return value
    text = decrypt(value) if is_encrypted(value) else value
    return value if text is None else encrypt(text)
