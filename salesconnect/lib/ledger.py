"""The ledger: an append-only file beside the database, from which a restored backup learns what happened after it."""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings


def append(lines: Iterable[dict[str, Any]]) -> None:
    """Append lines as JSON and force them to the disk (fsync); a file lock keeps concurrent writers apart."""
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    if not text:
        return
    path = Path(settings.ERASURE_LEDGER)
    new = not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        # After a crash the last line may be incomplete; a new line begins, so that only that one is lost.
        if size := file.seek(0, os.SEEK_END):
            file.seek(size - 1)
            text = text if file.read(1) == b"\n" else "\n" + text
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    if new:  # the entry of a new file in its folder needs a flush of its own to survive a power failure
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


def read() -> Iterator[dict[str, Any]]:
    """Yield the lines, oldest first; none when there is no file. An incomplete line of a crash is skipped."""
    path = Path(settings.ERASURE_LEDGER)
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for line in file:
            try:
                found = json.loads(line)
            except ValueError:
                continue
            if isinstance(found, dict):
                yield found
