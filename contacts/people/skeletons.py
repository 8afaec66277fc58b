"""Look-alike addresses: `skeleton` is equal for addresses that look the same or reach the same mailbox.

Equal skeletons do not make two addresses the same: they are a reason to ask a user, never to decide automatically.
"""

import hmac
import re
import unicodedata
from uuid import UUID

import idna

from contacts.people.addresses import hash_keys

GMAIL = frozenset({"gmail.com", "googlemail.com"})
_PREFIX = b"skeleton\x00"
"""Keeps the hash of a skeleton apart from that of an address, which it often is letter for letter."""

# The letters of other scripts that are drawn as one of a to z, as addresses hold them: in lower case. From the table of
# Unicode's UTS 39; what is merely similar, as 1 and l are, is left out, for anna1 and annal are mostly two people.
_CONFUSABLES = {
    "a": "аɑα⍺ᴀᎠꭺꓮⲁ",
    "b": "вьβʙᏏꓐⲃ",
    "c": "сϲᴄⲥᏟꓚꮯ",
    "d": "ԁᴅꓓꭰ",
    "e": "еҽєεᴇꓰᎬꭼ",
    "f": "ꜰꓝքẝ",
    "g": "ɡցɢᶃԍꓖᏀ",
    "h": "һнհʜꓧᎻⲏꮋ",
    "i": "іıɩιɪӏꓲꙇᎥⲓ",
    "j": "јϳյᴊꓙᎫꭻ",
    "k": "кκᴋꓗᏦⲕқ",
    "l": "ʟꓡլᏞꮮ",
    "m": "мᴍꓟᎷⲙꮇ",
    "n": "пηոռɴꓠⲛ",
    "o": "оοσօᴏꓳⲟ",
    "p": "рρᴘꓑⲣᏢꮲ",
    "q": "ԛզգ",
    "r": "гʀᴦꓣꭱ",
    "s": "ѕꜱꓢᏚꮪ",
    "t": "тτᴛꓔⲧᎢꭲ",
    "u": "υսμᴜꓴʋ",
    "v": "ѵνᴠꓦᏙꮩ",
    "w": "ԝѡωաᴡꓪᎳꮃ",
    "x": "хχꓫⲭ",
    "y": "уүγʏꓬⲩᎩ",
    "z": "ᴢζꓜⲍᏃꮓ",
    "-": "‐‒–—―−",
}
# A local part is folded as its normal form is, which makes capitals of Cherokee letters; a domain is not.
_AS_LATIN = str.maketrans(
    {other.casefold(): latin for latin, others in _CONFUSABLES.items() for other in others}
    | {other: latin for latin, others in _CONFUSABLES.items() for other in others}
)
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")


def skeleton(email_key: str) -> str:
    """Return what a normalised address looks like: the same for all that are taken for each other.

    What stands after a plus sign is left out. So are the dots before the @ of Gmail, which is one domain under two
    names; elsewhere they part people. Letters of other scripts become the Latin ones that they are drawn as; accents
    stay, for Latin letters that differ by them are told apart by eye and mostly belong to two people.
    """
    local, _at, domain = email_key.rpartition("@")
    if not local.isascii():
        local = _as_latin(local)
    if "xn--" in domain:
        domain = _as_latin(_spelt(domain))
    local = local.partition("+")[0] or local
    if domain in GMAIL:
        local, domain = local.replace(".", "") or local, "gmail.com"
    return f"{local}@{domain}"


def skeleton_hashes(email_key: str) -> list[UUID]:
    """Return the hash of an address's skeleton under every key of the setting, newest first; none without address."""
    if not email_key:
        return []
    message = _PREFIX + skeleton(email_key).encode()
    return [UUID(bytes=hmac.digest(key, message, "sha256")[:16]) for key in hash_keys()]


def _spelt(domain: str) -> str:
    try:
        return idna.decode(domain)
    except UnicodeError:
        return domain


def _as_latin(text: str) -> str:
    parts = _INVISIBLE.sub("", unicodedata.normalize("NFKD", text)).translate(_AS_LATIN)
    return unicodedata.normalize("NFKC", parts).casefold()
