"""How much PostgreSQL does for one statement, by its plan: a figure that no busy machine changes."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from django.db import connection, transaction

REMOVED = ("Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck")


def rows_handled(sql: str, values: Mapping[str, Any]) -> float:
    """Return how many rows all steps of a statement handled, those that they left out too; nothing is changed."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}", values)
        found = cursor.fetchone()[0]
        transaction.set_rollback(True)
    plan = json.loads(found) if isinstance(found, str) else found
    return sum(_of_node(node) for node in nodes(plan[0]["Plan"]))


def nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield each step of a plan."""
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)


def _of_node(node: Mapping[str, Any]) -> float:
    # What a filter leaves out is told of each time on average, as the rows are.
    return float(node["Actual Loops"] * (node["Actual Rows"] + sum(node.get(name, 0) for name in REMOVED)))
