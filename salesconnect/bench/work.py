"""`python -m salesconnect.bench.work batch|import ID`: work one off as a worker does; print seconds and peak MB."""

import json
import os
import sys
from collections.abc import Callable

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "salesconnect.settings")
    django.setup()

    from compliance.imports import working
    from contacts.jobs import batches
    from salesconnect.bench.measure import once, peak_mb

    RUNS: dict[str, Callable[[int], bool]] = {"batch": batches.run, "import": working.run}
    run, number = RUNS[sys.argv[1]], int(sys.argv[2])

    def work() -> None:
        while run(number):
            pass

    sys.stdout.write(json.dumps([once(work), peak_mb()]))
