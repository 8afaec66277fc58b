"""Which statements read a whole large table: every statement of an act is explained before it runs."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError, connection, transaction

LARGE = 10_000
EXPLAINABLE = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
LENGTH = 160

Scan = dict[str, str | int]


class Scans:
    """The sequential scans over more than 10,000 rows, each with its table and statement, by what was measured."""

    def __init__(self) -> None:
        self.found: list[Scan] = []
        self._seen: set[str] = set()

    @contextmanager
    def watched(self, measure: str) -> Iterator[None]:
        """Explain each new statement of the block. Not for what is being timed: explaining takes time itself."""

        def explained(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
            if not many and sql not in self._seen and sql.lstrip("( \n").upper().startswith(EXPLAINABLE):
                self._seen.add(sql)
                self.found += [_scan(measure, node, sql) for node in _large_scans(sql, params)]
            return execute(sql, params, many, context)

        with connection.execute_wrapper(explained):
            yield

    @property
    def statements(self) -> int:
        """Return how many different statements were explained."""
        return len(self._seen)


def _scan(measure: str, node: dict[str, Any], sql: str) -> Scan:
    return {
        "measure": measure,
        "table": node["Relation Name"],
        "rows": node["rows"],
        "statement": " ".join(sql.split())[:LENGTH],
    }


def _large_scans(sql: str, params: Any) -> list[dict[str, Any]]:
    with connection.connection.cursor() as cursor:  # the driver's own, which the wrapper does not see
        try:
            with transaction.atomic():
                cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
                plan = cursor.fetchone()[0]
        except DatabaseError:
            return []
        plan = json.loads(plan) if isinstance(plan, str) else plan
        scans = [node for node in _nodes(plan[0]["Plan"]) if node["Node Type"] == "Seq Scan"]
        for node in scans:
            cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE relname = %s", [node["Relation Name"]])
            node["rows"] = cursor.fetchone()[0]
    return [node for node in scans if node["rows"] > LARGE]


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from _nodes(below)
