"""What the worker does for exports."""

import logging

from celery import shared_task

from exports.erasure import expiry, ledger_entries
from exports.files import csv_export, redaction
from exports.integrity import check_run, stored_files
from exports.overview import daily_figures
from exports.retention import retention
from salesconnect.lib.actor import system
from salesconnect.lib.errors import Conflict

logger = logging.getLogger(__name__)


@shared_task(name="exports.sweep_exports")
def sweep_exports() -> None:
    """Remove the files that are older than they may be, and those that an erasure left."""
    csv_export.remove_old_files()
    redaction.delete_pending_files()


@shared_task(name="exports.remove_stray_files")
def remove_stray_files() -> None:
    """Remove the files that no row names, in every folder: a process died between the two."""
    stored_files.remove_strays(system("task"))


@shared_task(name="exports.forget_erased")
def forget_erased() -> None:
    """Remember erased people no longer than was told: addresses, links of their mail, records in Salesforce."""
    expiry.forget_old()


@shared_task(name="exports.keep_figures")
def keep_figures() -> None:
    """Keep the figures of the days that are over; more than a month of them takes several turns."""
    daily_figures.keep()


@shared_task(name="exports.write_ledger")
def write_ledger() -> None:
    """Write what addresses said since the last time into the ledger beside the database."""
    ledger_entries.write_suppressions()


@shared_task(name="exports.apply_retention")
def apply_retention() -> None:
    """List, warn and erase as the rules of retention say; a run that is still going on is left alone."""
    try:
        retention.run(actor=system("task"))
    except Conflict as refusal:
        logger.warning("Retention: %s", refusal.message)


@shared_task(name="exports.check_records")
def check_records() -> None:
    check_run.run(actor=system("task"))
