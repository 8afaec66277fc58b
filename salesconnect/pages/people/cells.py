"""The rows of the People page as HTML. Python instead of a template, because 50 rows must take 1 to 2 milliseconds."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.source_registry import SourceType
from compliance.verdict import verdict
from salesconnect.pages.people.columns import ListColumn
from salesconnect.pages.templatetags.ui import exact, icon, nearby

PersonRow = Mapping[str, Any]
LONG = 12
NOTHING = '<span class="soft">–</span>'
VERDICT_ICONS = {verdict.MAY: "circle-check", verdict.ASK_FIRST: "help-circle", verdict.MAY_NOT: "ban"}


def full_name(row: PersonRow) -> str:
    """Return “Berg, Anna”, or the part that there is, else the address, else “Unnamed person” with the id."""
    parts = [part for part in (row["last_name"], row["first_name"]) if part]
    return ", ".join(parts) or row["email"] or _("Unnamed person %d") % row["id"]


def table_rows(rows: Iterable[PersonRow], columns: Sequence[ListColumn], owners: Mapping[int, str]) -> SafeString:
    """Return the `<tr>` elements, in the active language. Every value is escaped here."""
    writer = _CellWriter(owners)
    cells: list[tuple[str, Callable[[PersonRow], str]]] = [
        (f'<td class="cell-{column.key}" data-label="{escape(str(column.label))}">', getattr(writer, column.key))
        for column in columns
    ]
    parts = []
    for row in rows:
        parts.append(writer.checkbox(row))
        parts.extend(f"{start}{write(row)}</td>" for start, write in cells)
        parts.append("</tr>")
    return SafeString("".join(parts))


def _text(value: str) -> str:
    """Return a text; one that CSS may cut off also gets a title, which shows it on hover."""
    safe = escape(value)
    return f'<span title="{safe}">{safe}</span>' if len(value) > LONG else safe


def _mark(css: str, icon_name: str, words: str) -> str:
    return f'<span class="mark {css}">{icon(icon_name)}<span>{words}</span></span>'


class _CellWriter:
    """Writes cells, one method for each column key. Translated words are looked up once for all rows."""

    def __init__(self, owners: Mapping[int, str]) -> None:
        self.people = reverse("people")
        self.owners = owners
        self.now = timezone.now()
        self.select = escape(_("Select %(name)s"))
        self.grounds = {choice.value: _text(str(choice.label)) for choice in AuthorizationType}
        self.sources = {choice.value: _text(str(choice.label)) for choice in SourceType}
        self.not_recorded = _mark("mark-empty", "circle-dashed", escape(_("Not recorded")))
        self.verdicts = {
            code: _mark(f"mark-{code}", VERDICT_ICONS[code], escape(str(label))) for code, label in verdict.CHOICES
        }
        self.yes, self.no = _mark("mark-may_not", "mail-off", escape(_("Yes"))), escape(_("No"))

    def checkbox(self, row: PersonRow) -> str:
        label = self.select % {"name": escape(full_name(row))}
        return (
            '<tr><td class="cell-check"><label><input type="checkbox" class="form-check-input" name="ids"'
            f' value="{row["id"]}" form="selection-bar" aria-label="{label}"></label></td>'
        )

    def name(self, row: PersonRow) -> str:
        return f'<a class="row-link" href="{self.people}{row["id"]}/">{escape(full_name(row))}</a>'

    def first_name(self, row: PersonRow) -> str:
        return _text(row["first_name"])

    def last_name(self, row: PersonRow) -> str:
        return _text(row["last_name"])

    def email(self, row: PersonRow) -> str:
        return _text(row["email"])

    def title(self, row: PersonRow) -> str:
        return _text(row["title"])

    def company(self, row: PersonRow) -> str:
        return _text(row["company"])

    def authorization(self, row: PersonRow) -> str:
        ground, date = row["card__authorization_type"], row["card__consent_date"]
        if ground is None:
            return self.not_recorded
        month = f' <span class="text-secondary">{date:%Y-%m}</span>' if date else ""
        return _mark("", "circle-dot", self.grounds[ground] + month)

    def source(self, row: PersonRow) -> str:
        return self.sources.get(row["card__source_type"], self.not_recorded)

    def unsubscribed(self, row: PersonRow) -> str:
        return self.yes if row["card__unsubscribed"] else f'<span class="soft">{self.no}</span>'

    def owner(self, row: PersonRow) -> str:
        name = self.owners.get(row["owner_id"])
        return _text(name) if name else NOTHING

    def created(self, row: PersonRow) -> str:
        return self._time(row["created_at"])

    def updated(self, row: PersonRow) -> str:
        return self._time(row["card__updated_at"])

    def verdict(self, row: PersonRow) -> str:
        return self.verdicts[row["verdict"]]

    def _time(self, at: dt.datetime) -> str:
        return time_element(at, self.now)


def time_element(at: dt.datetime, now: dt.datetime) -> str:
    return f'<time datetime="{at.isoformat()}" title="{exact(at)}">{escape(nearby(at, now))}</time>'
