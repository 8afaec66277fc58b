"""Files of people: written whole, put on record for exactly the people in them, and only then handed over."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.db import connection

from contacts.events import history
from contacts.models import Contact
from salesconnect.lib.actor import Actor

LOCK = "hashtext('exports.files')"
CHUNK_SIZE = 1 << 16


def await_exports() -> None:
    """Wait for exports that are being written, and let none begin until the transaction ends.

    An erasure calls it: a person who is being erased is then either in a file and recorded as exported, or in no file.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock({LOCK})")


def await_erasures() -> None:
    """Wait, before a file is written, for the erasures that are under way; until the transaction ends none begins."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock_shared({LOCK})")


def write_recorded(
    pages: Iterable[Any], text: Callable[[Any], str], people: Callable[[Any], Iterable[int]], *, head: str, **event: Any
) -> Iterator[str]:
    """Return a file of `head` and the `text` of each page, whose `people` have an event that they were exported.

    Inside the caller's transaction, which commits before anything is handed over.
    """
    await_erasures()
    file, exported = tempfile.TemporaryFile("w+", encoding="utf-8", newline=""), set[int]()  # noqa: SIM115 - returned open
    try:
        file.write(head)
        for page in pages:
            file.write(text(page))
            exported.update(people(page))
        _record(exported, **event)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return _chunks(file)


def _record(exported: set[int], *, actor: Actor, reason: str) -> None:
    here = Contact.objects.among(sorted(exported)).values_list("pk", flat=True)
    history.record(here, history.EXPORTED, actor=actor, changes={"reason": (None, reason)})


def _chunks(file: Any) -> Iterator[str]:
    with file:
        while piece := file.read(CHUNK_SIZE):
            yield piece
