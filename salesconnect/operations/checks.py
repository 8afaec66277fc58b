"""System checks of the secrets: `manage.py check --deploy` reports weak ones."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's name

from contacts.models import KeyFingerprint
from salesconnect.operations.key_fit import VARIABLES, is_encryption_key, is_weak, keys_of

HINT = 'Make one with: python -c "import secrets; print(secrets.token_urlsafe(48))"'
FERNET_HINT = "Make one with: python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"


@register(Tags.security, deploy=True)
def check_strength(**_: Any) -> list[CheckMessage]:
    """Report secrets that are too short or too regular; older keys, kept for old rows, as warnings."""
    found: list[CheckMessage] = []
    if is_weak(settings.SECRET_KEY):
        found.append(Error("SECRET_KEY is too short or too regular to be a secret.", hint=HINT, id="salesconnect.E001"))
    for name in (KeyFingerprint.Name.SUPPRESSION, KeyFingerprint.Name.UNSUBSCRIBE):
        for place, key in enumerate(keys_of(name)):
            words = f"{VARIABLES[name]} is too short or too regular to be a secret."
            if is_weak(key):
                found.append(
                    Warning(f"{words} It is an older one.", id="salesconnect.W001")
                    if place
                    else Error(words, hint=f"{HINT} and put it in front of the old one.", id="salesconnect.E001")
                )
    return found


@register(Tags.security)
def check_encryption_key(**_: Any) -> list[CheckMessage]:
    keys = keys_of(KeyFingerprint.Name.ENCRYPTION)
    if keys and all(is_encryption_key(key) for key in keys):
        return []
    words = "SALESCONNECT_ENCRYPTION_KEY is not a key: it must be 32 random bytes as URL-safe base64."
    return [Error(words, hint=FERNET_HINT, id="salesconnect.E002")]
