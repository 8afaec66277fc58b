"""The secret of an unsubscribe link: 256 bits, made from the link's own nonce and a key of the environment.

The database holds only the digest, so whoever reads it cannot use a link; and a link is found by its digest alone, so
it works for ever, whatever becomes of the key or of SECRET_KEY.
"""

import base64
import hashlib
import hmac
import re
import unicodedata
from urllib.parse import unquote
from uuid import UUID

from django.conf import settings

LENGTH = 43
WHOLE = re.compile(rf"[\w-]{{{LENGTH},}}", re.ASCII)
# What is left of quoted-printable where nobody decoded it: soft line breaks, and the two marks that a token may hold.
# Some servers break a long line with an exclamation mark.
QUOTED = {"=\r\n": "", "=\n": "", "!\r\n": "", "!\n": "", "=5F": "_", "=5f": "_", "=2D": "-", "=2d": "-"}
DASHES = str.maketrans(dict.fromkeys("‐‑‒–−﹣－", "-") | {"＿": "_"})
SPARE = 16
"""Characters around a token that may be of its own kind, as in _…_ or 3D…."""


def token_of(nonce: UUID) -> str:
    """Return the token of a link: 43 characters that are safe in a URL."""
    newest = settings.UNSUBSCRIBE_KEY.partition(",")[0].strip()
    secret = hmac.digest(newest.encode(), b"unsubscribe link" + nonce.bytes, "sha256")
    return base64.urlsafe_b64encode(secret).rstrip(b"=").decode()


def digest(token: str) -> str:
    """Return the SHA-256 of a token, by which its link is found."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def digests(text: str) -> list[str]:
    """Return the digests under which a link may be found: that of a token, and of each that a longer text may hold."""
    if WHOLE.fullmatch(text):
        places = range(min(len(text) - LENGTH, SPARE) + 1)
        return [digest(text[place : place + LENGTH]) for place in places]
    return [digest(text)]


def salvaged(text: str) -> str:
    """Return the token in what a mail program made of a link's end; what holds no whole token comes back as it is.

    Programs take the brackets, quotes and full stops around a link for part of it, encode them once too often, put
    characters into it that cannot be seen or a typographer's dash, or leave quoted-printable undecoded. A token is
    known by its length, so nothing is guessed: it is whole, or unknown. Characters of its own kind may be left around
    it, see `digests`.
    """
    for written, meant in QUOTED.items():
        text = text.replace(written, meant)
    text = "".join(each for each in unquote(text).translate(DASHES) if unicodedata.category(each) != "Cf")
    for written, meant in QUOTED.items():
        text = text.replace(written, meant)
    found = WHOLE.search(text) or WHOLE.search("".join(text.split()))
    return found[0] if found else text.strip("/")
