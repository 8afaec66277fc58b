"""Secrets at rest: encrypted with a key of the environment (Fernet: AES-128-CBC with HMAC-SHA256)."""

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings


def seal(text: str) -> str:
    """Return a text that only this installation can read."""
    return Fernet(settings.ENCRYPTION_KEY).encrypt(text.encode()).decode() if text else ""


def unseal(sealed: str) -> str:
    """Return the text; empty when there is none, or none that the present key opens: then it has to be given anew."""
    try:
        return Fernet(settings.ENCRYPTION_KEY).decrypt(sealed.encode()).decode() if sealed else ""
    except InvalidToken:
        return ""
