"""What the worker does for exports."""

from celery import shared_task

from exports import services


@shared_task(name="exports.sweep_exports")
def sweep_exports() -> None:
    """Remove the files that are older than they may be."""
    services.remove_old_files()
