"""The order in which the files of tests start: the longest first, so that no process is left with one at the end."""

from collections import Counter
from pathlib import Path

import pytest

LIST = Path(__file__).with_name("longest_first.txt")
# Seconds; shorter files fill the gaps, in whatever order.
LONG = 3


def listed() -> dict[str, int]:
    """Return the place in the order of each file that takes long."""
    return {name: place for place, name in enumerate(LIST.read_text().split())}


def put_longest_first(items: list[pytest.Item]) -> None:
    """Sort tests by how long their files take; within a file they stay as they are."""
    places = listed()
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(places)))


class Stopwatch:
    """Adds up how long each file takes, and renews the list when the run has ended."""

    def __init__(self) -> None:
        """Begin with nothing measured."""
        self.seconds: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a part of a test for its file."""
        self.seconds[report.nodeid.partition("::")[0]] += report.duration

    def pytest_sessionfinish(self) -> None:
        """Write the list, with the longest first."""
        LIST.write_text("".join(f"{name}\n" for name, seconds in self.seconds.most_common() if seconds >= LONG))
