"""The token of an unsubscribe link: 256 bits, derived from the link's nonce and a key of the environment (HMAC-SHA256).

The database stores only the digest, so that reading it does not give access to the links. A link is found by its digest
alone, so it keeps working when the key or SECRET_KEY changes.
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
"""How many base64url characters around a token are tolerated, as in _…_ or 3D…."""


def token_of(nonce: UUID) -> str:
    """Return the token of a link: 43 URL-safe characters."""
    newest = settings.UNSUBSCRIBE_KEY.partition(",")[0].strip()
    secret = hmac.digest(newest.encode(), b"unsubscribe link" + nonce.bytes, "sha256")
    return base64.urlsafe_b64encode(secret).rstrip(b"=").decode()


def digest(token: str) -> str:
    """Return the SHA-256 of a token, by which its link is found."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def digests(text: str) -> list[str]:
    """Return the digests to look a link up by: of the token, or of each token that a longer text may contain."""
    if WHOLE.fullmatch(text):
        places = range(min(len(text) - LENGTH, SPARE) + 1)
        return [digest(text[place : place + LENGTH]) for place in places]
    return [digest(text)]


def salvaged(text: str) -> str:
    """Extract the token from the end of a link that a mail program has damaged; other text is returned as it is.

    Mail programs take brackets, quotes and full stops around a link for part of it, percent-encode it twice, insert
    invisible characters or typographic dashes, or leave quoted-printable undecoded. Tokens have a fixed length, so
    nothing is guessed: a token is complete, or unknown. Base64url characters may remain around it; see `digests`.
    """
    for written, meant in QUOTED.items():
        text = text.replace(written, meant)
    text = "".join(each for each in unquote(text).translate(DASHES) if unicodedata.category(each) != "Cf")
    for written, meant in QUOTED.items():
        text = text.replace(written, meant)
    found = WHOLE.search(text) or WHOLE.search("".join(text.split()))
    return found[0] if found else text.strip("/")
