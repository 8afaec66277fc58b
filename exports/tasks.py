"""What the worker does for exports."""

from celery import shared_task

from exports import services
from exports.overview import daily


@shared_task(name="exports.sweep_exports")
def sweep_exports() -> None:
    """Remove the files that are older than they may be."""
    services.remove_old_files()


@shared_task(name="exports.keep_figures")
def keep_figures() -> None:
    """Keep the figures of the days that are over; more than a month of them takes several turns."""
    daily.keep()
