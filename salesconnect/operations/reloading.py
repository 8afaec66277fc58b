"""Restarts the product's processes when its code changes: for `make dev` alone."""

from collections.abc import Callable, Collection
from pathlib import Path

from salesconnect.operations.supervisor import FIRST_DELAY, Child

KINDS = ("*.py", "*.sql", "*.mo")
"""What a process reads once, when it starts. Templates and static files are read whenever they are asked for."""


class Reload:
    """Compares the files with how they were at the last call, and ends the children where one has changed.

    The supervisor starts a child again that has ended.
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
