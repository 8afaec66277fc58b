"""The roots in a text file beside the database: a line a seal, only ever appended to.

The file is named after the beginning of its chain, so that two histories never meet in one. It knows by itself how far
it is, so nothing has to be remembered elsewhere: what is missing at its end is appended.
"""

import fcntl
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage

from contacts.models import Seal

FOLDER = "seals"
TAIL = 4_096
READ_SIZE = 1_000


def file() -> Path | None:
    """Return where the roots of this history are written; None before the first seal."""
    beginning = Seal.objects.filter(number=1).values_list("previous", flat=True).first()
    if beginning is None:
        return None
    return Path(default_storage.path(f"{FOLDER}/roots-{bytes(beginning).hex()[:16]}.txt"))


def append() -> int:
    """Append the roots that the file lacks and force them to the disk; returns how many. Raises OSError."""
    path = file()
    if path is None:
        return 0
    path.parent.mkdir(mode=settings.FILE_UPLOAD_DIRECTORY_PERMISSIONS, parents=True, exist_ok=True)
    with path.open("a+b") as roots:
        fcntl.flock(roots, fcntl.LOCK_EX)
        number, end = _last_line(path)
        roots.truncate(end)
        lines = [_line(seal) for seal in Seal.objects.filter(number__gt=number).iterator(READ_SIZE)]
        roots.write("".join(lines).encode())
        roots.flush()
        os.fsync(roots.fileno())
    return len(lines)


def first_difference() -> int | None:
    """Return the number of the first seal that differs from its line in the file; None when all agree."""
    path = file()
    if path is None or not path.exists():
        return None
    roots = _roots(path)
    while piece := list(islice(roots, READ_SIZE)):
        known = dict(Seal.objects.filter(number__in=[number for number, _root in piece]).values_list("number", "root"))
        for number, root in piece:
            if number not in known or bytes(known[number]).hex() != root:
                return number
    return None


def _line(seal: Seal) -> str:
    return f"{seal.number} {bytes(seal.root).hex()} {seal.sealed_at.isoformat()} {seal.events}\n"


def _roots(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the number and the root of each whole line; a last one that was cut short by a full disk says nothing."""
    with path.open(encoding="ascii", errors="replace") as lines:
        for line in lines:
            if not line.endswith("\n"):
                return
            number, _space, rest = line.partition(" ")
            yield int(number) if number.isdigit() else 0, rest[:64]


def _last_line(path: Path) -> tuple[int, int]:
    """Return the number in the last whole line, and where that ends: what a crash cut short is written anew."""
    size = path.stat().st_size
    with path.open("rb") as lines:
        lines.seek(max(0, size - TAIL))
        whole, _newline, rest = lines.read().rpartition(b"\n")
    return (int(whole.splitlines()[-1].split()[0]) if whole else 0), size - len(rest)
