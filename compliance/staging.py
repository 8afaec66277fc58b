"""A temporary table of people on their way in: one row of a form or a chunk of an import, written by COPY."""

import datetime as dt
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.db import connection

from compliance.rules import Authorization, Source
from contacts.addresses import address_hashes, newest_key
from contacts.details import DETAILS
from contacts.rules import normalise_address, sort_key

KEYS = ("email_key", "address_hash", "address_hashes", "sort_company", "sort_last", "sort_first")
CARD = (
    "authorization_type",
    "authorization_other",
    "consent_date",
    "consent_purpose",
    "source_type",
    "source_other",
)
COLUMNS = ("line", *DETAILS, *KEYS, *CARD, "opted_out")

CREATE = f"""
    CREATE TEMPORARY TABLE incoming (
        line integer NOT NULL,
        {", ".join(f"{name} text NOT NULL" for name in DETAILS)},
        email_key text COLLATE "C" NOT NULL, address_hash uuid, address_hashes uuid[] NOT NULL,
        sort_company text NOT NULL, sort_last text NOT NULL, sort_first text NOT NULL,
        authorization_type smallint, authorization_other text NOT NULL,
        consent_date date, consent_purpose text NOT NULL,
        source_type smallint, source_other text NOT NULL,
        opted_out boolean NOT NULL,
        contact_id bigint, taken boolean NOT NULL DEFAULT false
    ) ON COMMIT DROP
"""
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


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


def stage(people: Iterable[NewPerson]) -> int:
    """Fill the transaction's temporary table `incoming` with `people`; returns their number."""
    lines = [_line(person) for person in people]
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.incoming")
        cursor.execute(CREATE)
        cursor.copy_expert(f"COPY incoming ({', '.join(COLUMNS)}) FROM STDIN", io.StringIO("".join(lines)))
    return len(lines)


def address_columns(email: str) -> dict[str, object]:
    """Return what is stored beside an address: its normal form, its hash and the hash key's name."""
    if not email:
        return {"email_key": "", "address_hash": None, "address_hash_key": ""}
    key = normalise_address(email)
    return {"email_key": key, "address_hash": address_hashes(key)[0], "address_hash_key": newest_key()}


def _line(person: NewPerson) -> str:
    details = person.details
    email = details.get("email", "")
    key = normalise_address(email) if email else ""
    hashes = address_hashes(key) if key else []
    authorization, source = person.authorization, person.source
    cells = [str(person.line)]
    cells += [details.get(name, "").translate(ESCAPES) for name in DETAILS]
    cells += [
        key.translate(ESCAPES),
        str(hashes[0]) if hashes else "\\N",
        "{" + ",".join(map(str, hashes)) + "}",
        *(sort_key(details.get(name, "")).translate(ESCAPES) for name in ("company", "last_name", "first_name")),
        _code(authorization.type),
        authorization.other.translate(ESCAPES),
        _date(authorization.consent_date),
        authorization.consent_purpose.translate(ESCAPES),
        _code(source.type),
        source.other.translate(ESCAPES),
        "t" if person.opted_out else "f",
    ]
    return "\t".join(cells) + "\n"


def _code(value: int | None) -> str:
    return "\\N" if value is None else str(int(value))


def _date(value: dt.date | None) -> str:
    return "\\N" if value is None else value.isoformat()
