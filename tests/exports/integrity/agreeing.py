"""The sweep at the end of tests: whatever was done, killed or raced, the stored records agree with each other."""

from collections.abc import Collection

from exports.integrity.all_checks import CHECKS
from exports.integrity.check_run import find

SHARED = ("stray_files", "missing_files")
"""The store of files is shared by all tests, and rolled back rows leave theirs there."""


def differences(leave_out: Collection[str] = ()) -> dict[str, tuple[int, str]]:
    """Return the kinds of differences there are, with number and example."""
    checks = [check for check in CHECKS if check.name not in {*SHARED, *leave_out}]
    return {name: (found.count, found.example) for name, found in find(checks).items() if found.count}
