"""`manage.py bench N`: measure the product on N people, each figure beside what is possible at all."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from salesconnect.bench import bulk, database, flows, measure, pages
from salesconnect.bench.measure import Measure


class Command(BaseCommand):
    """Build the bench's database, take the measures, print them and write bench.json; exit 1 where one misses."""

    help = "Measure the product on N fictitious people in a database of its own."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Define N."""
        parser.add_argument("people", type=int, nargs="?", default=100_000, metavar="N")

    def handle(self, *args: Any, people: int, **options: Any) -> None:
        """Run."""
        database.use(people, self.stderr.write)
        measures = []
        for taken in self.measures(people):
            self.stderr.write(f"{taken.measure}: {taken.ours:g} {taken.unit}")
            measures.append(taken)
        self.stdout.write(measure.table(measures))
        measure.write(Path(settings.BASE_DIR) / "bench.json", people, measures)
        if not all(taken.ok for taken in measures):
            sys.exit(1)

    def measures(self, people: int) -> Iterator[Measure]:
        """Yield all measures, those that add people last."""
        yield from pages.measures()
        yield from bulk.measures(people)
        yield from flows.import_measures(people)
