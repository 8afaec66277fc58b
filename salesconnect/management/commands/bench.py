"""`manage.py bench N`: measure the product on N people, each figure beside what is possible at all."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from salesconnect.bench import bulk, database, imports, links, measure, pages
from salesconnect.bench.measure import Measure
from salesconnect.bench.plans import Scans
from salesconnect.bench.site import site

FEW = 10_000


class Command(BaseCommand):
    """Build the bench's database, take the measures, print them and write bench.json; exit 1 where one misses."""

    help = "Measure the product on N fictitious people in a database of its own."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Define N."""
        parser.add_argument("people", type=int, nargs="?", default=100_000, metavar="N")

    def handle(self, *args: Any, people: int, **options: Any) -> None:
        """Run."""
        measures, scans = [], Scans()
        for taken in self.measures(people, scans):
            self.stderr.write(f"{taken.measure}: {taken.ours:g} {taken.unit}, {taken.ratio or '–'} ×, {taken.target}")
            measures.append(taken)
        self.stdout.write(measure.table(measures))
        self.stdout.write(
            f"{scans.statements} statements explained, {len(scans.found)} sequential scans over 10,000 rows"
        )
        for scan in scans.found:
            self.stdout.write("{measure}: {table} ({rows:,} rows): {statement}".format(**scan))
        measure.write(Path(settings.BASE_DIR) / "bench.json", people, measures, scans.found)
        if not all(taken.ok for taken in measures):
            sys.exit(1)

    def measures(self, people: int, scans: Scans) -> Iterator[Measure]:
        """Yield all measures, those that change or add people last."""
        database.use(FEW, self.stderr.write)
        paths = pages.people_pages()
        with site() as (address, session):
            database.use(people, self.stderr.write)
            yield from pages.measures([(session, address + path) for path in paths], scans)
        yield from bulk.measures(people, scans)
        yield from links.measures(people)
        yield from imports.measures(people)
        # The sync with Salesforce takes its place here: calls of pull and push against the emulated org.
