"""Extracts email addresses from free text, for lists of opt-outs. Pure.

It prefers false positives: an address that is suppressed needlessly can give a new consent, whereas one that is
overlooked would be mailed against the person's objection.
"""

import html
import re
import unicodedata
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from urllib.parse import unquote

from contacts.people.rules import normalise_address

AT, DOTS = "@", ".。．｡"
# What cannot stand in the part before the @ without quotation marks (RFC 5322), and what may stand in a domain.
BEFORE = r"[^\s\"(),:;<>@\[\]\\]+"
AFTER = rf"[\w\-{DOTS}]+"
AROUND = "'`´‘’‚“”„«»‹›*_|/=!?#&{}~^+$%-.…"
"""What writers put around an address; some may belong to it, so both readings are taken."""
SPELT_AT = re.compile(r"\s*[(\[{<]\s*(?:at|snabel-?a)\s*[)\]}>]\s*", re.IGNORECASE)
SPELT_DOT = re.compile(r"\s*[(\[{<]\s*(?:dot|punkt|\.)\s*[)\]}>]\s*", re.IGNORECASE)
# Without brackets both words are needed, for "at" alone is one of every sentence.
SPELT_OUT = re.compile(r"(\S+) at (\S+(?: dot \S+)+)", re.IGNORECASE)
ENCODED = re.compile(r"%[0-9a-fA-F]{2}")
# A name in quotation marks may hold anything, an address too, but is no part of one.
LOOSE_AT = re.compile(rf"\s*{AT}\s*")
# Slips of the hand: the @ or a dot twice, a backslash before the @, a space at the first dot behind it.
SLIPS = (
    (re.compile(r"[@\\]+@+"), AT),
    (re.compile(r"\.{2,}"), "."),
    (re.compile(rf"(?<={AT})(\w[\w-]*) ?\. ?(?=\w)"), r"\1."),
)


def addresses_in(text: str) -> tuple[list[str], bool]:
    """Return the normalised addresses in a text, in their order, and whether every @ in it belongs to one of them."""
    found: dict[str, None] = {}
    missed = False
    for number, reading in enumerate(_readings(text)):
        for place in (match.start() for match in re.finditer(AT, reading)):
            here = _addresses_at(reading, place)
            found.update(dict.fromkeys(here))
            missed |= number == 0 and not here
    if not found and (joined := LOOSE_AT.sub(AT, _plain(text))).count(AT):
        for slip, meant in SLIPS:
            joined = slip.sub(meant, joined)
        if joined.count(AT) == 1:
            found.update(dict.fromkeys(_addresses_at(joined, joined.index(AT))))
            missed = not found
    return list(found), missed


def _readings(text: str) -> list[str]:
    """Return how a text may be meant: characters that cannot be seen stand between two addresses, or inside of one."""
    plain = _plain(text)
    apart = "".join(" " if _unseen(character) else character for character in plain)
    joined = "".join(character for character in plain if not _unseen(character))
    return [joined] if apart == joined else [joined, apart]


def _plain(text: str) -> str:
    """Return a text without what HTML, links and people who hide an address make of it."""
    text = html.unescape(text)
    if "=?" in text:
        text = _decoded(text)
    if ENCODED.search(text):
        plain = unquote(unquote(text))  # some programs encode once too often
        text = f"{plain} {text}" if AT in text else plain
    text = unicodedata.normalize("NFKC", text)
    if AT not in text:
        text = SPELT_OUT.sub(lambda found: f"{found[1]}{AT}{re.sub(' dot ', '.', found[2], flags=re.IGNORECASE)}", text)
    return SPELT_DOT.sub(".", SPELT_AT.sub(AT, text))


def _decoded(text: str) -> str:
    """Return a text with the encoded words of a mail's header (RFC 2047) read; as it is where they are none."""
    try:
        return str(make_header(decode_header(text)))
    except (HeaderParseError, LookupError, UnicodeError):
        return text


def _unseen(character: str) -> bool:
    return unicodedata.category(character) in {"Cf", "Cc"} and not character.isspace()


def _addresses_at(text: str, place: int) -> list[str]:
    """Return the addresses whose @ stands at a place: as it is written, and without what may only be around it."""
    before = re.search(rf"{BEFORE}\Z", text[:place])
    after = re.match(AFTER, text[place + 1 :])
    if not before or not after:
        return []
    domain = after[0].strip(f"-_{DOTS}")
    locals_ = dict.fromkeys((before[0], before[0].strip(AROUND), re.split(rf"[{re.escape('|/=?&')}]", before[0])[-1]))
    return list(dict.fromkeys(filter(None, (_valid(local, domain) for local in locals_))))


def _valid(local: str, domain: str) -> str:
    try:
        return normalise_address(f"{local}@{domain}") if local else ""
    except ValueError:
        return ""
