"""The history of one person as pages show it: a line an event, newest first, a page at a time."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from contacts import history, wording
from contacts.models import ContactEvent
from salesconnect.lib import keyset
from salesconnect.lib.keyset import Key

SIZE = 50
KEYS = (Key("at", descending=True), Key("id", descending=True))
ICONS = {
    history.CREATED: "user-plus",
    history.EDITED: "pencil",
    history.AUTHORIZATION: "shield-check",
    history.SOURCE: "file-import",
    history.UNSUBSCRIBED: "mail-off",
    history.RESUBSCRIBED: "mail-opened",
    history.MAILED: "send",
    history.MAIL_HELD: "player-pause",
    history.EXPORTED: "download",
    history.DELETED: "trash",
    history.MERGED: "git-merge",
    history.UNMERGED: "arrow-back-up",
    history.RESTRICTED: "lock",
    history.UNRESTRICTED: "shield-check",
    history.INFORMED: "send",
    history.REVIEWED: "checklist",
    history.SCRUBBED: "eye-off",
    history.REQUESTED: "clipboard-list",
    history.VIEWED: "eye",
    history.ANSWERED: "checklist",
}


@dataclass(frozen=True, slots=True)
class Line:
    """An event and the words for it."""

    event: ContactEvent
    text: str
    before: str
    door: str
    icon: str


@dataclass(frozen=True, slots=True)
class Lines:
    """One page of a history, and the cursors of its neighbours, if there are any."""

    rows: list[Line]
    older: str | None
    newer: str | None


def of_person(contact_id: int, cursor: str | None = None, until: dt.datetime | None = None) -> Lines:
    """Return 50 lines of a person's history from `cursor` on, or the newest, or those before a moment.

    A damaged cursor raises `Invalid`.
    """
    events = history.of_contact(contact_id)
    if until is not None:
        events = events.filter(at__lte=until)
    page = keyset.page(events, KEYS, cursor=cursor, size=SIZE, values=lambda event: (event.at, event.id))
    return Lines(_lines(page.rows), page.next, page.previous)


def _lines(events: Sequence[ContactEvent]) -> list[Line]:
    undoes = history.taken_back_by(events)
    return [_line(event, undoes.get(event.batch_id)) for event in events]


def _line(event: ContactEvent, undoes: int | None) -> Line:
    icon = "arrow-back-up" if undoes else ICONS.get(event.action, "history")
    return Line(event, wording.describe(event, undoes), wording.before(event), wording.door_words(event), icon)
