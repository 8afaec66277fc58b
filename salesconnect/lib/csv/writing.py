"""CSV that spreadsheets open as text.

defusedcsv is not used: it doubles as an editor (every `|` gets a backslash, which cannot be taken off again) and lets
leading tabs, line ends, NUL, white space and full-width signs through.
"""

import csv
import re
from collections.abc import Iterable

BOM = "\ufeff"
"""What a file starts with, so that Excel reads UTF-8."""

# The apostrophes in front make the guard reversible: what looks guarded already is guarded once more.
# A telephone number: nothing in it can be called, whatever a spreadsheet makes of its signs.
PHONE = r"\+?[0-9](?:[ ()./-]*[0-9]){4,}"
_PHONE = re.compile(PHONE)
_RUNS = re.compile(r"'*(?:[\t\r\n\0]|[\s\0\ufeff\u200b]*[=+\-@＝＋－＠])")


def safe_cell(value: object) -> str:
    """Return the text of a value with `'` before what a spreadsheet would run as a formula; None is empty.

    That is `= + - @` and their full-width forms, also after white space, and anything after a leading tab, line end
    or NUL (OWASP, CSV Injection). A telephone number stays as it is: one plus or none in front, then at least five
    digits with spaces and ()./- between.
    """
    text = "" if value is None else str(value)
    return f"'{text}" if _RUNS.match(text) and not _PHONE.fullmatch(text) else text


def unsafe_cell(text: str) -> str:
    """Return a cell without the one `'` that `safe_cell`, or another careful program, set before it.

    Before a telephone number that is the guard of a file written by us before, or by somebody more careful.
    """
    return text[1:] if text[:1] == "'" and _RUNS.match(text, 1) else text


def line(cells: Iterable[object]) -> str:
    """Return one record of RFC 4180 with CRLF; every cell goes through `safe_cell` here, so that none is forgotten."""
    return csv.writer(_Echo(), lineterminator="\r\n").writerow(map(safe_cell, cells))


class _Echo:
    """A file that gives back what is written: the writer returns its file's answer."""

    def write(self, text: str) -> str:
        return text
