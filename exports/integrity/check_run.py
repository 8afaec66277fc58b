"""Runs all record checks: finds differences, corrects what has one right answer, and keeps the results."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from exports.integrity.all_checks import BY_NAME, CHECKS
from exports.integrity.check import Check, DifferenceCount
from exports.models import RecordCheck
from salesconnect.lib.actor import Actor

ROUNDS = 3
"""A correction may reveal another difference: a correct hash finds a suppression, which finds a missing opt-out."""
KEPT = 100

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Difference:
    """The result of one check: what was found, how many were corrected, and how many are left."""

    check: Check
    found: DifferenceCount
    mended: int = 0
    left: int = 0


def run(*, actor: Actor, mend: bool = False, leave_out: Collection[str] = ()) -> list[Difference]:
    """Run all checks but `leave_out`, with `mend` correct what has one right answer, and store the result.

    Returns the checks that found something; an empty list is the normal answer.
    """
    actor.require("verify_history")
    if mend:
        actor.require("edit_policy")
    row = RecordCheck.objects.create(mends=mend)
    checks = [check for check in CHECKS if check.name not in leave_out]
    first = found = find(checks)
    mended = dict.fromkeys(first, 0)
    for _round in range(ROUNDS if mend else 0):
        if not (now := _mend(found, actor)):
            break
        mended = {name: mended[name] + now.get(name, 0) for name in mended}
        found = find(checks)
    differences = [
        Difference(check, first[check.name] if first[check.name].count else found[check.name], mended[check.name],
                   found[check.name].count)
        for check in checks
        if first[check.name].count or found[check.name].count or mended[check.name]
    ]  # fmt: skip
    _keep(row, differences)
    return differences


def find(checks: Collection[Check]) -> dict[str, DifferenceCount]:
    """Return the count of each check. A `find` that several checks share is called once."""
    passes: dict[Any, DifferenceCount | Mapping[str, DifferenceCount]] = {}
    found: dict[str, DifferenceCount] = {}
    for check in checks:
        if check.find not in passes:
            passes[check.find] = check.find()
        told = passes[check.find]
        found[check.name] = told if isinstance(told, DifferenceCount) else told[check.name]
    return found


def last() -> RecordCheck | None:
    """Return the last run that has finished; None before the first."""
    return RecordCheck.objects.exclude(finished_at=None).order_by("-pk").first()


def _mend(found: Mapping[str, DifferenceCount], actor: Actor) -> dict[str, int]:
    """Correct what can be corrected, in the order of the checks; return the numbers that are not zero."""
    done: dict[str, int] = {}
    for name, differences in found.items():
        if differences.count and (mend := BY_NAME[name].mend) and (number := mend(actor)):
            done[name] = number
    return done


@transaction.atomic
def _keep(row: RecordCheck, differences: list[Difference]) -> None:
    row.differences = [
        {"check": each.check.name, "count": each.found.count, "example": each.found.example, "mended": each.mended,
         "left": each.left}
        for each in differences
    ]  # fmt: skip
    row.found, row.left = sum(each.found.count for each in differences), sum(each.left for each in differences)
    row.finished_at = Now()
    row.save()
    row.refresh_from_db()
    kept = RecordCheck.objects.order_by("-pk").values_list("pk", flat=True)[:KEPT]
    RecordCheck.objects.exclude(pk__in=list(kept)).delete()
    for each in differences:
        logger.warning("check_records: %s: %d, first %s", each.check.name, each.found.count, each.found.example)
