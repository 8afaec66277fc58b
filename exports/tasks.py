"""What the worker does for exports."""

from celery import shared_task

from exports import files, ledger, services
from exports.overview import daily


@shared_task(name="exports.sweep_exports")
def sweep_exports() -> None:
    """Remove the files that are older than they may be, and those that an erasure left."""
    services.remove_old_files()
    files.remove_doomed()


@shared_task(name="exports.keep_figures")
def keep_figures() -> None:
    """Keep the figures of the days that are over; more than a month of them takes several turns."""
    daily.keep()


@shared_task(name="exports.write_ledger")
def write_ledger() -> None:
    """Write what addresses said since the last time into the ledger beside the database."""
    ledger.write_suppressions()
