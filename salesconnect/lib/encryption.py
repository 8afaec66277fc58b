"""Secrets at rest: encrypted with a key of the environment (Fernet: AES-128-CBC with HMAC-SHA256).

Keys rotate: of several, separated by commas, the first encrypts and each of them decrypts.
"""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

# Version 0x80 and the first bytes of a time before the year 36812, as base64 writes them.
FERNET_PREFIX = "gAAAAA"


def encrypt(text: str) -> str:
    """Return a text that only this installation can read."""
    return _keys().encrypt(text.encode()).decode() if text else ""


def decrypt_or_empty(sealed: str) -> str:
    """Return the text; empty when there is none, or none that a present key opens: then it has to be given anew."""
    return (decrypt(sealed) or "") if sealed else ""


def decrypt(sealed: str) -> str | None:
    """Return the text; None when no present key opens it."""
    try:
        return _keys().decrypt(sealed.encode()).decode()
    except InvalidToken:
        return None


def is_encrypted(text: str) -> bool:
    """Tell whether a text has the form of an encrypted one."""
    return text.startswith(FERNET_PREFIX)


def _keys() -> MultiFernet:
    return MultiFernet([Fernet(key.strip()) for key in settings.ENCRYPTION_KEY.split(",") if key.strip()])
