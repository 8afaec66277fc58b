"""Celery tasks of exports."""

import logging

from celery import shared_task

from exports.erasure import expiry, ledger_entries
from exports.files import csv_export, rewriting
from exports.integrity import check_run, file_checks
from exports.overview import daily_figures
from exports.retention import retention
from salesconnect.lib.actor import system
from salesconnect.lib.errors import Conflict

logger = logging.getLogger(__name__)


@shared_task(name="exports.sweep_exports")
def sweep_exports() -> None:
    """Delete expired export files, and files whose deletion was interrupted."""
    csv_export.remove_old_files()
    rewriting.delete_pending_files()


@shared_task(name="exports.remove_stray_files")
def remove_stray_files() -> None:
    """Delete files that no row names: a process died between storing the file and committing its row."""
    file_checks.remove_strays(system("task"))


@shared_task(name="exports.forget_erased")
def forget_erased() -> None:
    """Forget what is kept of erased people for a limited time: address hashes, mail links, Salesforce records."""
    expiry.forget_old()


@shared_task(name="exports.keep_figures")
def keep_figures() -> None:
    """Store the figures of past days; more than a month of them takes several calls."""
    daily_figures.keep()


@shared_task(name="exports.write_ledger")
def write_ledger() -> None:
    """Write new opt-outs to the ledger beside the database."""
    ledger_entries.write_suppressions()


@shared_task(name="exports.apply_retention")
def apply_retention() -> None:
    """Run the retention rules, unless a run is still going on."""
    try:
        retention.run(actor=system("task"))
    except Conflict as refusal:
        logger.warning("Retention run skipped: %s", refusal.message)


@shared_task(name="exports.check_records")
def check_records() -> None:
    check_run.run(actor=system("task"))
