"""Restarts the processes when the code changes; only for `make dev`."""

from collections.abc import Callable, Collection
from pathlib import Path

from salesconnect.operations.supervisor import FIRST_DELAY, Child

KINDS = ("*.py", "*.sql", "*.mo")
"""Files that a process reads once, at its start. Templates and static files are read for each request."""


class Reload:
    """Compares modification times with the last call, and terminates the children if a file has changed.

    The supervisor then starts them again.
    """

    def __init__(self, folders: Collection[Path], children: Collection[Child], say: Callable[[str], None]) -> None:
        self.folders, self.children, self.say = folders, children, say
        self.last = self._state()

    def __call__(self) -> None:
        before, self.last = self.last, self._state()
        changed = sorted(path.name for path, _when in before ^ self.last)
        if not changed:
            return
        self.say(f"{changed[0]} has changed; the code is loaded again")
        for child in self.children:
            if child.process is not None and not child.gone():
                child.process.terminate()
                child.delay = FIRST_DELAY

    def _state(self) -> set[tuple[Path, int]]:
        found = (path for folder in self.folders for kind in KINDS for path in folder.rglob(kind))
        return {(path, path.stat().st_mtime_ns) for path in found if path.exists()}
