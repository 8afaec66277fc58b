"""`manage.py bench N`: measure the product on N people, each figure beside what is possible at all."""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from salesconnect.bench import bulk, database, exports, imports, links, measure, pages, sync
from salesconnect.bench.measure import Measure
from salesconnect.bench.plans import Scans

PARTS: dict[str, Callable[[int, Scans], Iterator[Measure]]] = {
    "people": pages.lists,
    "search": pages.searches,
    "person": pages.person,
    "counts": pages.boards,
    "bulk": bulk.some,
    "everyone": bulk.everyone,
    "export": exports.measures,
    "unsubscribe": links.measures,
    "sync": sync.measures,
    "import": imports.measures,
}


class Command(BaseCommand):
    """Build the bench's database, take the measures, print them and write bench.json; exit 1 where one misses."""

    help = "Measure the product on N fictitious people in a database of its own."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("people", type=int, nargs="?", default=100_000, metavar="N")
        parser.add_argument(
            "--only", nargs="+", choices=PARTS, metavar="PART", help=f"{', '.join(PARTS)}; leaves bench.json alone"
        )

    def handle(self, *args: Any, people: int, only: list[str] | None, **options: Any) -> None:
        measures, scans = [], Scans()
        for part in only or PARTS:
            database.use(people)
            for taken in PARTS[part](people, scans):
                line = f"{taken.measure}: {taken.ours:g} {taken.unit}, {taken.ratio or '–'} ×, {taken.target}"
                self.stderr.write(line)
                measures.append(taken)
        self.stdout.write(measure.table(measures))
        self.stdout.write(
            f"{scans.statements} statements explained, {len(scans.found)} sequential scans over 10,000 rows"
        )
        for scan in scans.found:
            self.stdout.write("{measure}: {table} ({rows:,} rows): {statement}".format(**scan))
        if not only:
            measure.write(Path(settings.BASE_DIR) / "bench.json", people, measures, scans.found)
        if not all(taken.ok for taken in measures):
            sys.exit(1)
