"""The secret of an unsubscribe link: 256 bits, made from the link's own nonce and a key of the environment.

The database holds only the digest, so whoever reads it cannot use a link; and a link is found by its digest alone, so
it works for ever, whatever becomes of the key or of SECRET_KEY.
"""

import base64
import hashlib
import hmac
from uuid import UUID

from django.conf import settings


def token_of(nonce: UUID) -> str:
    """Return the token of a link: 43 characters that are safe in a URL."""
    secret = hmac.digest(settings.UNSUBSCRIBE_KEY.encode(), b"unsubscribe link" + nonce.bytes, "sha256")
    return base64.urlsafe_b64encode(secret).rstrip(b"=").decode()


def digest(token: str) -> str:
    """Return the SHA-256 of a token, by which its link is found."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
