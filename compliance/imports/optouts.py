"""What columns of other programs say about opt-outs: tables of their names and of the words in their cells. Pure.

A column is of one kind. Where it is not certain what a cell of it means, somebody is asked before the import starts,
and a cell that nobody was asked about counts as a "no": a "no" too many can be taken back by a new consent, a "no" too
few is mail against a person's word.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import Enum

from compliance.imports.headers import key


class ColumnKind(Enum):
    NEGATIVE = "says no"  # Email Opt Out: any cell but a no or a blank
    POSITIVE = "says yes"  # Email Opt In: a no
    HAPPENED = "when or why it was said"  # UNSUB_TIME: any text
    STATUS = "a word among others"  # Status: the words of an opt-out
    MAIL_STATUS = "a word among others, all of them about mail"  # Subscriber Status


# Keys as `headers.key` makes them: letters and digits alone. Of several patterns the first that matches counts.
_OUT = r"unsub|unsubscribed?|unsubscription|optout|optedout|optingout|suppress(?:ed|ion)?|b(?:lack|lock)list(?:ed)?|" \
       r"clean(?:ed)?|avregistrer(?:ad|ing)|avprenumerer(?:ad|ing)|avanmäl(?:d|an|ning)|" \
       r"spärr(?:ad)?|abmeldung|abgemeldet"  # fmt: skip
_WHEN = r"time|timestamp|date|datetime|on|at|since|datum|tid|tidpunkt|den|reason|campaign|campaigntitle|mode|method|" \
        r"source|by|orsak|anledning"  # fmt: skip
_COLUMNS: tuple[tuple[ColumnKind, re.Pattern[str]], ...] = (
    (ColumnKind.HAPPENED, re.compile(rf"(?:last|email|mail|marketing|global|e?mailmarketing)?(?:{_OUT})(?:{_WHEN})+")),
    (ColumnKind.HAPPENED, re.compile(rf"(?:date|time|datum|tidpunkt|reason|orsak)(?:of|for|för)?(?:{_OUT})")),
    (
        ColumnKind.NEGATIVE,
        re.compile(
            r"(?:is|has|hs|person|contact|lead|member|global(?:ly)?|e?mail|marketing|e?mailmarketing)*"
            rf"(?:{_OUT})(?:ofe?mail|frome?mails?|fromalle?mails?|ofalle?mails?|frommarketing|avmejl|fraanmejl)?"
        ),
    ),
    # HubSpot has such a column for each of its subscription types.
    (ColumnKind.NEGATIVE, re.compile(r"(?:unsubscribed|optedout)(?:from|of)e?mail.+|(?:has)?optedoutof.*mail.*")),
    (
        ColumnKind.NEGATIVE,
        re.compile(
            r"donot(?:allow)?(?:bulk)?(?:e?mails?|contact|market(?:ing)?|sendmarketing\w*|sendmm|disturb)|"
            r"no(?:e?mails?|marketing|newsletters?|contact)|e?mail(?:isbad|bounced|hardbounced?)|hardbounced?|"
            r"dont(?:e?mails?|contact|send(?:e?mails?)?)|never(?:e?mail|contact)|werbesperre|keinewerbung|newsletterabbestellt|"
            r"d[ée]sinscrit(?:e|s|es)?|d[ée]sabonné?e?|mejlaej|fårejmejlas|villejha(?:utskick|mejl)|tackatnej(?:tillutskick)?|"
            r"nixspärr|ejmejl|ejepost|ejutskick|ingenreklam|reklamspärr|önskarejutskick|skaejkontaktas|neemail"
        ),
    ),
    (
        ColumnKind.POSITIVE,
        re.compile(
            r"(?:is|has|hs|e?mail|marketing|e?mailmarketing|newsletter)*(?:subscribed|optin|optedin|doubleoptin)|"
            r"accepts(?:e?mail)?marketing|allows?(?:bulk)?(?:e?mails?|marketing)|(?:e?mail|marketing)(?:allowed|permission)|"
            r"canbee?mailed|cane?mail|receives?(?:e?mails?|newsletters?|marketing)|subscribedto\w*|"
            r"(?:e?mail|marketing|e?mailmarketing)consent|consentstate|"
            r"(?:e?mail|marketing|e?mailmarketing)*(?:consent|optin|permission)status|"
            r"wants?(?:e?mails?|newsletters?)|newsletter|nyhetsbrev|prenumererar|prenumerant|fårmejlas|villhanyhetsbrev"
        ),
    ),
    (
        ColumnKind.MAIL_STATUS,
        re.compile(
            r"(?:person|contact|lead|member|list)*(?:subscriber|e?mail|marketing|consent|mailinglist|permission|"
            r"prenumerations|mejl|utskicks)+(?:person|contact|lead|member|list|subscription)*status"
        ),
    ),
    (
        ColumnKind.STATUS,
        re.compile(
            r"(?:person|contact|lead|member|subscriber|subscription|e?mail|marketing|consent|mailinglist|list|"
            r"permission|prenumerations|mejl|utskicks)*status|"
            r"subscription|prenumeration"
        ),
    ),
)  # fmt: skip

_BLANKS = {"", "none", "null", "na", "nan", "undefined", "00000000000000", "00000000", "ejangivet", "never"}
_NOES = _BLANKS | {
    "0", "false", "no", "n", "f", "off", "unchecked", "nej", "nein", "non", "falskt", "falsch", "faux", "falso",
    "subscribed", "optin", "optedin", "allow", "allowed", "active", "tillåt", "tillåten", "notoptedout",
    "notunsubscribed",
}  # fmt: skip
_OPTED_OUT = {
    "unsubscribed", "unsubscribe", "unsub", "optedout", "optout", "globallyunsubscribed", "globalunsubscribe",
    "unsubscribedfromall", "cleaned", "bounced", "hardbounce", "hardbounced", "complained", "complaint", "spam",
    "spamcomplaint", "markedasspam", "abuse", "suppressed", "blocklisted", "blacklisted", "donotcontact", "donotemail",
    "donotmail", "donotallow", "donotmarket", "revoked", "withdrawn", "declined", "refused", "avregistrerad",
    "avprenumererad", "avanmäld", "spärrad", "återkallat", "återkallad", "abgemeldet", "désinscrit", "désabonné",
    "notsubscribed", "nonsubscribed", "neversubscribed", "notoptedin",
}  # fmt: skip
# What says no only where all words are about mail: HubSpot and Mailjet block an address, MailerLite calls a complaint
# junk, Marketing Cloud holds what came back too often, ActiveCampaign has nobody inactive who is on a list. Elsewhere
# it may be a customer who is blocked for unpaid bills, or a record of somebody who has left.
_UNDELIVERABLE = {
    "inactive", "inaktiv", "blocked", "blockerad", "junk", "held", "undeliverable", "undelivered", "invalid", "banned",
}  # fmt: skip
_AMBIGUOUS = {
    ColumnKind.STATUS: {"inactive", "inaktiv", "blocked", "blockerad", "junk", "unconfirmed", "obekräftad"},
    # Whoever has not confirmed has not agreed, and whoever was removed may have asked for it.
    ColumnKind.MAIL_STATUS: {
        "unconfirmed", "obekräftad", "notconfirmed", "pending", "transactional", "removed", "borttagen", "deleted",
        "raderad", "archived", "arkiverad",
    },
    # A cross may tick the box or strike it out.
    ColumnKind.POSITIVE: {"unconfirmed", "obekräftad", "notconfirmed", "pending", *"☒✕✖❎×"},
}  # fmt: skip
# The numbers of ActiveCampaign: unconfirmed, active, unsubscribed, bounced, removed from the list. Other programs
# number their statuses likewise, so they are asked about where a column has no others.
_NUMBERS, _NUMBERED_NOES, _NUMBERED = (
    {"0", "1", "2", "3", "91"},
    {"2", "3"},
    (ColumnKind.STATUS, ColumnKind.MAIL_STATUS),
)
_NEGATIVE_ANSWERS = (
    _NOES - _BLANKS - {
        "subscribed", "optin", "optedin", "allow", "allowed", "active", "tillåt", "tillåten", "notoptedout",
        "notunsubscribed",
    }
) | _OPTED_OUT  # fmt: skip

YES = {
    "1", "true", "yes", "y", "t", "x", "on", "checked", "ja", "j", "sant", "wahr", "vrai", "verdadero", "vero", "waar",
    "oui", "si", "sí", "✓", "✔", "☑", "✅", "dnc",
}  # fmt: skip
"""What a cell says that answers a question with yes."""
_MARKS = "✓✔☑✅✗✘☒✕✖❌❎×+*●■"
# How a "no" begins that has more words, as in "Nej tack" or "No (asked 2024)", where a column asks for a yes; and what
# follows where nobody has answered.
_DECLINED = {
    "no", "not", "non", "nope", "nej", "nein", "nee", "inte", "ej", "nie", "never", "aldrig", "ingen", "inget", "kein",
    "keine", "false", "denied", "rejected", "declined", "refused", "withdrawn", "revoked", "objected", "out", "nekad",
    "nekat", "avvisad", "avvisat", "abgelehnt", "widerrufen",
}  # fmt: skip
_UNANSWERED = re.compile(
    r"(?:no|ingen|inget|keine?) (?:data|answer|value|information|info|reply|response|record|svar|uppgift|angabe)\b"
    r"|(?:not|never|inte|ej|nie) (?:set|specified|answered|applicable|available|known|provided|recorded|asked|angiv)"
)
_CROSSES = set("✗✘❌")
# 1.0 and 0.0 are how programs write a 1 and a 0 in a column that has empty cells.
_WHOLE_NUMBER = re.compile(r"\s*([+-]?\d+)[.,]0+\s*")
_A_DATE = re.compile(r"\d{4}-\d\d-\d\d")
# Words that mean an opt-out whatever stands around them, but for a "not" or "never" before.
_HAS_OPTED_OUT = re.compile(
    r"unsub|optedout|opt(?:ing)?out|do(?:no|n)t(?:e?mail|contact|market|send|allow)|neveremail|noemail"
    r"|(?:spam|abuse)complain|complained|reportedasspam|markedasspam|hardbounce|blocklist|blacklist|suppress"
    r"|consent(?:was)?(?:revoked|withdrawn)|objected|avregistr|avprenum|avanmäl|avböj|tackatnej|spärrad|återkalla"
    r"|abgemeld|abbestell|d[ée]sabonn|d[ée]sinscri|disiscri|uitgeschreven|afgemeld|avmeldt|afmeldt"
    r"|nolongersubscri|complaints?(?:of)?(?:spam|abuse)"
)
_DENIED = re.compile(
    r"(?:not|never|isnt|inte|ej|nicht|nie|nolonger|no)(?:yet|been)?"
    r"(?:unsub|optedout|optout|complain|hardbounce|suppress|avregistr|avprenum|abgemeld)\w*"
)
# A column that is left out may not be one that these find, until somebody has said so.
_OTHER_CHANNELS = re.compile(
    r"sms|phone|telefon|call|ring|fax|whatsapp|push|postal|(?<!news)letter|(?<!nyhets)brev\b|direktreklam"
)
_SUSPICIOUS = re.compile(
    r"unsub|optout|optedout|optin|optedin|consent|samtyck|gdpr|permission|subscri|prenumer|avregistr|avanmäl|donot"
    r"|blacklist|blocklist|suppress|newsletter|nyhetsbrev|einwilligung|legalbasis|rättsliggrund|reklam(?!ation)|dnc\b|^nix$"
    r"|do?nt(?:e?mail|contact|send)|never(?:e?mail|contact)|contactable|mailable|mailing(?:allowed|ok)"
    r"|(?:okto|canwe|maywe|can|may)(?:e?mail|contact)|^(?:e?mail|direct)?marketing(?:e?mails?)?$|tillåte[nt]|werbung|werbe"
    r"|(?:communication|contact|mail|marketing)preference|^preferences?$|^(?:bounced|blocked|blockerad|emailconfirmed)$"
    r"|^objections?$|objected|righttoobject|invändning|direktmarknadsföring|avböj|tackatnej|villej|mejlaej|ejmejl|utskick"
    r"|d[ée]sinscri|d[ée]sabonn|disiscri|uitgeschr|afgemeld|avmeld|afmeld"
)
# What programs write beside a consent that is none itself.
_HARMLESS = re.compile(r"(?:optin|subscription|consent|signup)(?:ip|id|url|form|language|country)|optintime|optindate")
_TELLING = _OPTED_OUT - {"spam", "abuse", "refused", "declined", "bounced", "cleaned", "complaint", "withdrawn"}
MAX_HEADER_LENGTH = 100
"""Characters of a header that are looked at."""
SAMPLE_ROWS = 500
"""Rows whose cells are looked at."""


def kind_of(header: str) -> ColumnKind | None:
    """Return how a column says no; None for one that says nothing of it, or of telephone and post alone."""
    name = key(header)[:MAX_HEADER_LENGTH]
    if _OTHER_CHANNELS.search(name) and "mail" not in name and "nyhetsbrev" not in name:
        return None
    return next((kind for kind, pattern in _COLUMNS if pattern.fullmatch(name)), None)


def says_no(kind: ColumnKind, cell: str, decided: Collection[str] | None = None) -> bool:
    """Tell whether a cell of such a column says that the person does not want mail.

    `decided` are the words of the column of which somebody has said that they do; the others of which one cannot be
    sure say nothing then.
    """
    name = word(cell)
    if decided is not None and (name in decided or is_ambiguous(kind, name)):
        return name in decided
    if kind is ColumnKind.POSITIVE and (name in _NEGATIVE_ANSWERS or _declines(cell)):
        return True
    if kind in (ColumnKind.POSITIVE, ColumnKind.MAIL_STATUS) and name in _UNDELIVERABLE:
        return True
    if kind in _AMBIGUOUS:
        return is_opt_out(cell) or name in _AMBIGUOUS[kind]
    return name not in _NOES


def is_ambiguous(kind: ColumnKind, name: str) -> bool:
    """Tell whether somebody has to say what a word means in such a column."""
    return name in _AMBIGUOUS.get(kind, ()) or (kind in _NUMBERED and name in _NUMBERS)


def is_plain_no(kind: ColumnKind, cell: str) -> bool:
    """Tell the same of a cell that may belong below another header: only plain words and dates count."""
    if kind is ColumnKind.POSITIVE:
        return word(cell) in _NEGATIVE_ANSWERS
    if kind is ColumnKind.HAPPENED:
        return is_opt_out(cell) or bool(_A_DATE.match(cell.strip()))
    return is_opt_out(cell) or (kind is ColumnKind.NEGATIVE and word(cell) in YES)


def is_opt_out(cell: str) -> bool:
    """Tell whether a text is a word of an opt-out, or has one among others: “Unsubscribed (all)”."""
    name = key(cell)
    return name in _OPTED_OUT or bool(_HAS_OPTED_OUT.search(_DENIED.sub("", name[:MAX_HEADER_LENGTH])))


def _declines(cell: str) -> bool:
    """Tell whether a cell begins as a "no" does, in a column that asks for a yes."""
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", cell[:MAX_HEADER_LENGTH]).casefold())
    if not words:
        return bool(marks := word(cell)) and set(marks) <= _CROSSES
    if words[0] not in _DECLINED or _UNANSWERED.match(" ".join(words)):
        return False
    said = "".join(words)
    return "mail" in said or not _OTHER_CHANNELS.search(said)


def word(cell: str) -> str:
    """Return what a cell says, as `headers.key` does; a mark without letters, as ✓, is a word, an empty sign none."""
    if number := _WHOLE_NUMBER.fullmatch(cell):
        return key(number[1])
    return key(cell) or "".join(character for character in cell if character in _MARKS)


def optout_columns(headers: Sequence[str], left: Iterable[int]) -> dict[int, ColumnKind]:
    """Return the columns among those `left` that are read for an opt-out, by their index."""
    return {index: kind for index in left if (kind := kind_of(headers[index]))}


def first_no(
    columns: Mapping[int, ColumnKind], cells: Sequence[str], decided: Mapping[int, Collection[str]] | None = None
) -> int | None:
    said = decided or {}
    return next((index for index, kind in columns.items() if says_no(kind, cells[index], said.get(index))), None)


def ambiguous_words(columns: Mapping[int, ColumnKind], rows: Iterable[Sequence[str]]) -> dict[int, list[str]]:
    """Return the words in columns that are read of which somebody has to say whether they mean a "no"."""
    seen: dict[int, dict[str, str]] = {index: {} for index, kind in columns.items() if kind in _AMBIGUOUS}
    for row in rows:
        for index, words in seen.items():
            if index < len(row) and (name := word(row[index])):
                words.setdefault(name, row[index].strip())
    found = {index: _asked(columns[index], words) for index, words in seen.items()}
    return {index: words for index, words in found.items() if words}


def _asked(kind: ColumnKind, words: Mapping[str, str]) -> list[str]:
    numbered = kind in _NUMBERED and words.keys() <= _NUMBERS and not _NUMBERED_NOES.isdisjoint(words)
    return sorted(text for name, text in words.items() if numbered or name in _AMBIGUOUS[kind])


def unread_consent_columns(headers: Sequence[str], left: Iterable[int], rows: Iterable[Sequence[str]]) -> list[int]:
    """Return the columns among those `left` out whose name or cells look like consent or opt-out."""
    left = list(left)
    found = {index for index in left if _looks_like_consent(headers[index])}
    for row in rows:
        found |= {index for index in left if index < len(row) and _tells(row[index])}
    return sorted(found)


def _tells(cell: str) -> bool:
    return key(cell) in _TELLING or bool(_HAS_OPTED_OUT.search(_DENIED.sub("", key(cell)[:MAX_HEADER_LENGTH])))


def _looks_like_consent(header: str) -> bool:
    name = key(header)[:MAX_HEADER_LENGTH]
    return bool(_SUSPICIOUS.search(name)) and not _HARMLESS.fullmatch(name)
