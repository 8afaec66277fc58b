"""A temporary table of people on their way in: one row of a form or a chunk of an import, written by COPY."""

import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from django.db import connection

from compliance.card.rules import Authorization, Source
from contacts.people.addresses import address_hashes, folded_hashes, newest_key
from contacts.people.field_registry import DETAILS, SORTED
from contacts.people.rules import normalise_address, sort_key
from contacts.people.skeletons import skeleton_hashes

CARD_COLUMNS = (
    "authorization_type",
    "authorization_other",
    "consent_date",
    "consent_purpose",
    "source_type",
    "source_other",
)
KEYS = ("email_key", "address_hash", "address_hashes", "folded_hashes", "skeleton_hashes", *SORTED.values())
TEXTS = (
    *DETAILS,
    "email_key",
    *SORTED.values(),
    "authorization_other",
    "consent_purpose",
    "source_other",
    "opt_out_reason",
)
COLUMNS = (
    "line",
    "opted_out",
    "address_hash",
    "address_hashes",
    "folded_hashes",
    "skeleton_hashes",
    "authorization_type",
    "consent_date",
    "source_type",
    *TEXTS,
)

CREATE = f"""
    CREATE TEMPORARY TABLE incoming (
        line integer NOT NULL, opted_out boolean NOT NULL, address_hash uuid, address_hashes uuid[] NOT NULL,
        folded_hashes uuid[] NOT NULL, skeleton_hashes uuid[] NOT NULL,
        authorization_type smallint, consent_date date, source_type smallint,
        {", ".join(f"{name} text NOT NULL" for name in TEXTS if name != "email_key")},
        email_key text COLLATE "C" NOT NULL,
        contact_id bigint, taken boolean NOT NULL DEFAULT false
    ) ON COMMIT DROP
"""
NULL = "\\N"
SPECIAL = re.compile(r"[\\\t\n\r]")
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
# Names and companies come again and again.
_sort_key = lru_cache(maxsize=10_000)(sort_key)


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A person as a door hands it in: `details` by field name, trimmed and within their limits, and the card.

    `line` is where an import found the row, 0 elsewhere. `opted_out` says that the person comes with a "no".
    """

    details: Mapping[str, str]
    authorization: Authorization = field(default_factory=Authorization)
    source: Source = field(default_factory=Source)
    line: int = 0
    opted_out: bool = False
    opt_out_reason: str = ""


def stage(people: Iterable[NewPerson]) -> int:
    """Fill the transaction's temporary table `incoming` with `people`; returns their number."""
    lines = [copy_line(person) for person in people]
    stage_lines(lines)
    return len(lines)


def stage_lines(lines: Iterable[str]) -> None:
    """Fill the table with lines that `copy_line` made, so that an import can make them in another thread."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.incoming")
        cursor.execute(CREATE)
        cursor.copy_expert(f"COPY incoming ({', '.join(COLUMNS)}) FROM STDIN", io.StringIO("".join(lines)))


def address_columns(email: str) -> dict[str, object]:
    """Return what is stored beside an address: its normal form, the two hashes and the name of their key."""
    if not email:
        return {"email_key": "", "address_hash": None, "address_hash_key": "", "skeleton_hash": None}
    key = normalise_address(email)
    return {
        "email_key": key,
        "address_hash": address_hashes(key)[0],
        "address_hash_key": newest_key(),
        "skeleton_hash": skeleton_hashes(key)[0],
    }


def copy_line(person: NewPerson) -> str:
    """Return a person as one line of COPY's text format, in the order of `COLUMNS`."""
    details, authorization, source = person.details, person.authorization, person.source
    email = details.get("email", "")
    key = normalise_address(email) if email else ""
    hashes = [each.hex for each in address_hashes(key)] if key else []
    texts = [details.get(name, "") for name in DETAILS]
    texts += (
        key,
        *(_sort_key(details.get(name, "")) for name in SORTED),
        authorization.other,
        authorization.consent_purpose,
        source.other,
        person.opt_out_reason,
    )
    cells = (
        str(person.line),
        "t" if person.opted_out else "f",
        hashes[0] if hashes else NULL,
        _array(hashes),
        _array(each.hex for each in folded_hashes(key)),
        _array(each.hex for each in skeleton_hashes(key)),
        NULL if authorization.type is None else str(int(authorization.type)),
        NULL if authorization.consent_date is None else authorization.consent_date.isoformat(),
        NULL if source.type is None else str(int(source.type)),
    )
    return "\t".join((*cells, *_escaped(texts))) + "\n"


def _array(items: Iterable[str]) -> str:
    return "{" + ",".join(items) + "}"


def _escaped(texts: list[str]) -> list[str]:
    return [text.translate(ESCAPES) for text in texts] if SPECIAL.search("".join(texts)) else texts
