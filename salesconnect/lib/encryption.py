"""Secrets at rest: encrypted with a key of the environment (Fernet: AES-128-CBC with HMAC-SHA256).

Keys rotate: of several, separated by commas, the first encrypts and each of them decrypts.
"""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

# A Fernet token begins with the version 0x80 and a 64-bit time, whose first bytes are zero for ages; in base64.
FERNET_PREFIX = "gAAAAA"


def encrypt(text: str) -> str:
    """Return a text encrypted with the newest key; empty for an empty one."""
    return _keys().encrypt(text.encode()).decode() if text else ""


def decrypt_or_empty(sealed: str) -> str:
    """Return the text; empty when there is none, or when no configured key decrypts it and it must be entered anew."""
    return (decrypt(sealed) or "") if sealed else ""


def decrypt(sealed: str) -> str | None:
    """Return the text, None when no configured key decrypts it."""
    try:
        return _keys().decrypt(sealed.encode()).decode()
    except InvalidToken:
        return None


def is_encrypted(text: str) -> bool:
    return text.startswith(FERNET_PREFIX)


def _keys() -> MultiFernet:
    return MultiFernet([Fernet(key.strip()) for key in settings.ENCRYPTION_KEY.split(",") if key.strip()])
