"""Pure rules about a person's own data: the one form of an address, the place of a name, ids and search words."""

import re
import unicodedata

import idna
from django.utils.translation import gettext_lazy as _

from salesconnect.lib.web.domains import ascii_domain

ADDRESS_LENGTH = 254
SORT_KEY_LENGTH = 200
SEARCH_WORDS = 8
SEARCH_SEPARATORS = "@.-_+/\\:;,&()'\"<>[]{}!?#%*=|~^$`"
"""What parts two words beside white space; the stored search text is cut at the same characters."""

NAMELESS = "\U0010ffff"
"""Sort key of a text without a letter or digit: the highest code point, so that such names come last."""

_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])")
_COMMON_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?!xn--)(?:{_DOMAIN.pattern})")
_UNQUOTED = re.compile(r'[^\s"(),:;<>@\[\\\]]+')

_SALESFORCE_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Z0-5]{3})?")
_CHECK_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"

_WORD_GAP = re.compile(r"[\s\-‐-―/_]+")
_NO_LETTER = re.compile(r"[^\w ]+")
_NO_KEY = re.compile(r"[^\w {|}]+")
_SWEDISH_LETTERS = str.maketrans(
    dict.fromkeys("åǻ", "{")
    | dict.fromkeys("äǟæǣǽ", "|")
    | dict.fromkeys("öȫøǿőœ", "}")
    | dict.fromkeys("üǖǘǚǜű", "y")
    | {"đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ł": "l", "ŋ": "n", "ŧ": "t", "þ": "th"}
)

_NO_WORD = re.compile(rf"[\s\x00-\x1f\x7f\ud800-\udfff{re.escape(SEARCH_SEPARATORS)}]+")


def normalise_address(raw: str) -> str:
    """Return the one form of an email address under which it is stored, compared and suppressed.

    Unicode NFKC, white space around it stripped, the local part casefolded, the domain in lower case and in IDNA
    (UTS 46, non-transitional, as A-labels): to fold its case would make another domain of some. Dots and plus signs
    stay: whether they matter is for the receiving host to say. The result is its own normal form.
    Raises ValueError with a translatable message for what no mail can be sent to (RFC 5321 and 6531; quoted local
    parts and domain literals are refused, for people do not have them).
    """
    address = raw.strip().lower()
    if len(address) > ADDRESS_LENGTH:
        raise ValueError(_("An email address has at most 254 characters."))
    if _COMMON_ADDRESS.fullmatch(address) and ".xn--" not in address:
        return address
    local, at, domain = unicodedata.normalize("NFKC", raw).strip().rpartition("@")
    local = _folded(local)
    if not (local and at and domain):
        raise ValueError(_("An email address has a name, an @ and a domain, as in anna@example.com."))
    if not (local.isprintable() and domain.isprintable()):
        raise ValueError(_("The email address contains characters that cannot be seen."))
    if not _UNQUOTED.fullmatch(local) or local[0] == "." or local[-1] == "." or ".." in local:
        raise ValueError(_("The part before the @ of the email address contains characters that cannot stand there."))
    address = f"{local}@{_ascii_domain(domain)}"
    if len(address) > ADDRESS_LENGTH:
        raise ValueError(_("An email address has at most 254 characters."))
    return address


def is_sendable(email_key: str) -> bool:
    """Tell whether any mail server takes mail to a normalised address: few take letters outside ASCII before the @."""
    return email_key.isascii()


def folded_domain(address: str) -> str:
    """Return a normal form as it was while the case of domains was folded; an empty text where it was the same.

    What is known by its hash alone may have been stored in that form, in which faß.de was fass.de.
    """
    local, at, domain = address.rpartition("@")
    if "xn--" not in domain:
        return ""
    spelt = idna.decode(domain)
    return f"{local}{at}{ascii_domain(spelt.casefold())}" if spelt.casefold() != spelt else ""


def _folded(text: str) -> str:
    """Apply NFKC and casefold until nothing changes, for the result of one may not be normal under the other."""
    while (folded := unicodedata.normalize("NFKC", text).casefold()) != text:
        text = folded
    return text


def _ascii_domain(domain: str) -> str:
    try:
        encoded = ascii_domain(domain)
    except UnicodeError:
        encoded = ""
    if not _DOMAIN.fullmatch(encoded):
        raise ValueError(_("The part after the @ of the email address is not a domain name."))
    return encoded


def sort_key(text: str) -> str:
    """Return the key that puts a name where Swedes look for it, when keys are compared by their bytes (C collation).

    Case and accents do not count, but å, ä and ö are letters of their own after z. As in the Swedish Academy's
    wordlist and CLDR's Swedish order æ stands with ä, ø, ő and œ with ö, ü and ű with y, ß with ss, þ with th, ð
    with d. Words sort before longer words (Berg, Berg Lind, Berga); hyphens and dashes count as spaces, other
    punctuation not at all. Other scripts follow after ö. What has no letter or digit, the empty text above all,
    sorts last. At most 200 characters.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    letters = _NO_LETTER.sub("", _WORD_GAP.sub(" ", folded))
    if not letters.isascii():
        # The three ASCII characters after z stand for å, ä and ö; their own places are free, punctuation being gone.
        letters = _NO_KEY.sub("", unicodedata.normalize("NFKD", letters.translate(_SWEDISH_LETTERS)))
    return " ".join(letters.split())[:SORT_KEY_LENGTH] or NAMELESS


def salesforce_id(raw: str) -> str:
    """Return the 18 characters of a Salesforce record id given with 15 or 18; white space around it is ignored.

    The last three are check characters: each says which of five characters are capitals. Raises ValueError with a
    translatable message when the length, a character or the check is wrong.
    """
    record = raw.strip()
    if not _SALESFORCE_ID.fullmatch(record):
        raise ValueError(_("A Salesforce ID has 15 or 18 letters and digits."))
    full = record[:15] + "".join(_check_character(record[start : start + 5]) for start in (0, 5, 10))
    if not full.startswith(record):
        raise ValueError(_("The Salesforce ID has wrong check characters: a letter or its case was changed."))
    return full


def _check_character(block: str) -> str:
    return _CHECK_CHARACTERS[sum(1 << place for place, character in enumerate(block) if character.isupper())]


def search_words(text: str) -> list[str]:
    """Return the words of a search, at most eight, cut at white space and at SEARCH_SEPARATORS.

    Control characters and lone surrogates, which PostgreSQL cannot hold, part words too.
    """
    return [word for word in _NO_WORD.split(text) if word][:SEARCH_WORDS]
