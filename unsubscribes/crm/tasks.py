"""Celery tasks of the sync. The rows are the queue: every task may run twice, late, or concurrently."""

import datetime as dt
import logging

from celery import shared_task
from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from contacts.jobs import engine
from contacts.models.batch import OPEN
from contacts.people.addresses import newest_key
from salesconnect.lib.actor import system
from salesconnect.lib.kick import kick
from unsubscribes.crm.connection import connecting
from unsubscribes.crm.models import OutboxEntry, SyncConnection, SyncError, SyncNotice, SyncRun
from unsubscribes.crm.monitoring import status
from unsubscribes.crm.outbox import outbox
from unsubscribes.crm.runs import dry_run, pausing
from unsubscribes.crm.runs.running import FULL_READS, Busy, RunKind, RunTurn
from unsubscribes.crm.writing import jobs
from unsubscribes.crm.writing.push import retry_dead

RECONCILE_DAYS = 7
KEPT_DAYS = 30
logger = logging.getLogger(__name__)


@shared_task(name="unsubscribes.pull_salesforce", time_limit=240)
def pull_salesforce() -> None:
    """Read what changed; everything once a week, and after a new hash key.

    New opt-outs are stored under the new key, so records that an old key hashed would not match them.
    """
    connecting.from_environment(actor=system("sync"))
    if not pausing.may_run():
        return
    week_ago = Now() - dt.timedelta(days=RECONCILE_DAYS)
    other_key = ~Q(hash_key__in=["", newest_key()])
    if len(settings.SUPPRESSION_KEYS) > 1:
        other_key |= Q(hash_key="")
    due = SyncConnection.objects.filter(Q(reconciled_at=None) | Q(reconciled_at__lt=week_ago) | other_key).exists()
    open_whole = _open().filter(kind__in=FULL_READS)
    if due and not open_whole.exists():
        _start(
            RunKind.RECONCILE if SyncConnection.objects.exclude(reconciled_at=None).exists() else RunKind.FULL, "both"
        )
    elif not open_whole.exists():
        _start(RunKind.PULL, "pull")


@shared_task(name="unsubscribes.push_salesforce", time_limit=240)
def push_salesforce() -> None:
    outbox.collect()
    due = OutboxEntry.objects.filter(state__in=outbox.WAITING, due_at__lte=Now())
    lost = OutboxEntry.objects.filter(state=OutboxEntry.State.LEASED, leased_until__lt=Now())
    waits = due.exists() or lost.exists() or jobs.due().exists() or SyncNotice.objects.exists()
    if waits and pausing.may_run():
        _start(RunKind.PUSH, "push")


@shared_task(name="unsubscribes.run_salesforce", time_limit=1_800)
def run_salesforce(run_id: int) -> None:
    """Work on a requested run for one turn; a dry run is a single turn, however long it takes.

    Because somebody asked for it, it does not wait for the end of an automatic pause.
    """
    run = _open().filter(pk=run_id).first()
    if run is None or (run.dry_run and run.state == SyncRun.State.RUNNING):
        # A redelivered message must not start a dry run twice: the sweep fails one whose worker was killed.
        return
    stopped = SyncConnection.objects.filter(state__in=(SyncConnection.State.OFF, SyncConnection.State.PAUSED))
    if not run.dry_run and stopped.exists():
        engine.end(SyncRun.objects.filter(pk=run_id), SyncRun.State.CANCELLED)
        return
    if run.started_at is None:
        outbox.make_retries_due()
    engine.take_turn(QUEUE, run_id)


def _open() -> QuerySet[SyncRun]:
    return SyncRun.objects.filter(state__in=OPEN)


def _work(run_id: int) -> bool:
    try:
        return RunTurn(SyncRun.objects.get(pk=run_id)).go()
    except Busy:
        return False


def _progress(run_id: int) -> str:
    run = SyncRun.objects.filter(pk=run_id).first()
    return f"{run.state} {run.calls} {run.read} {run.written}" if run else ""


def _give_up(run_id: int, _words: str) -> None:
    """Fail a run that keeps killing its workers; the next run starts afresh."""
    engine.end(SyncRun.objects.filter(pk=run_id), SyncRun.State.FAILED, message="killed")


# A run claims no steps: its calls to the CRM outlast a transaction, so leases in rows of their own keep others away
# (`unsubscribes.crm.runs.leases`). It belongs to nobody who could cancel it; whoever pauses the sync does.
QUEUE = engine.Queue("sync", "unsubscribes.run_salesforce", _open, _work, _progress, _give_up, silent_seconds=60)


@shared_task(name="unsubscribes.sweep_salesforce", time_limit=240)
def sweep_salesforce() -> None:
    """Recover from lost messages and killed workers, purge old rows, and retry dead letters once a day."""
    outbox.collect()
    outbox.reclaim()
    # Runs that wait for another run continue at once. Of the silent ones only full reads do: they keep their position,
    # while a short run is cheaper to start anew.
    kept_waiting = _open().filter(state=SyncRun.State.QUEUED, started_at__isnull=False)
    lasting = Q(kind__in=FULL_READS) | Q(state=SyncRun.State.QUEUED)
    engine.sweep(QUEUE, (engine.silent(QUEUE) | kept_waiting).filter(lasting))
    engine.end(engine.silent(QUEUE).exclude(lasting), SyncRun.State.FAILED, message="killed")
    old = Now() - dt.timedelta(days=KEPT_DAYS)
    dry_run.forget(SyncRun.objects.filter(created_at__lt=old))
    done = (OutboxEntry.State.DONE, OutboxEntry.State.SUPERSEDED)
    OutboxEntry.objects.filter(state__in=done, finished_at__lt=old).delete()
    SyncError.objects.filter(state=SyncError.State.RESOLVED, resolved_at__lt=old).delete()
    retry_dead(Q(due_at__lt=Now() - dt.timedelta(days=1)))


@shared_task(name="unsubscribes.digest_salesforce", time_limit=60)
def digest_salesforce() -> None:
    """Log once a day what the sync did, what is waiting, and the errors by code."""
    if not SyncConnection.objects.exists():
        return
    now, done = status.status(), status.last_day()
    codes = ", ".join(f"{group['code']} {group['records']}" for group in status.errors_by_code()) or "none"
    logger.info(
        "Sync in the last 24 hours: %s; %s runs, %s read, %s changed, %s written, %s calls; %s waiting,"
        " %s dead letters; errors: %s",
        now.state, done["runs"], done["read"], done["changed"], done["written"], done["calls"],
        now.waiting, now.dead, codes,
    )  # fmt: skip


def _start(kind: str, direction: str) -> None:
    run = SyncRun.objects.create(kind=kind, direction=direction, actor_name=system("sync").name)
    try:
        if RunTurn(run).go():
            kick("unsubscribes.run_salesforce", run.pk)
    except Busy:
        run.delete()
