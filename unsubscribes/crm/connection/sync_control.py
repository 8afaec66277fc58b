"""The acts on the sync once it is set up: run, pause, resume, try again."""

import logging

from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from salesconnect.lib.actor import Actor
from salesconnect.lib.errors import Conflict, Missing
from salesconnect.lib.kick import kick
from salesconnect.lib.outcome import Outcome
from unsubscribes.crm import provider_registry
from unsubscribes.crm.connection.connecting import RIGHT, from_environment
from unsubscribes.crm.models import SyncConnection, SyncError, SyncRun
from unsubscribes.crm.outbox import outbox
from unsubscribes.crm.runs.running import RunKind
from unsubscribes.crm.writing.push import retry_dead

ConnectionState = SyncConnection.State
logger = logging.getLogger(__name__)


def request_run(
    *, actor: Actor, direction: str = "both", is_dry: bool = False, full: bool = False, start: bool = True
) -> SyncRun:
    """Create a run, for a worker unless `start` is false. Raises `Conflict` if the sync is missing, off or paused."""
    actor.require(RIGHT)
    row = from_environment(actor=actor)
    if row is None:
        raise Conflict("not_connected", _("%(crm)s is not connected.") % {"crm": provider_registry.spoken_of()})
    if not is_dry and row.state in (ConnectionState.OFF, ConnectionState.PAUSED):
        raise Conflict(
            str(row.state), _("The sync with %(crm)s is not active.") % {"crm": provider_registry.of(row).name}
        )
    kinds = {"pull": RunKind.PULL, "push": RunKind.PUSH, "both": RunKind.BOTH}
    kind = RunKind.DRY_RUN if is_dry else RunKind.FULL if full else kinds[direction]
    run = SyncRun.objects.create(kind=kind, direction=direction, dry_run=is_dry, actor_name=actor.name)
    if start:
        kick("unsubscribes.run_salesforce", run.pk)
    return run


def pause(*, actor: Actor) -> Outcome:
    """Pause the sync until an administrator resumes it; opt-outs wait in the outbox."""
    actor.require_recent(RIGHT)
    running = SyncConnection.objects.exclude(state__in=(ConnectionState.OFF, ConnectionState.PAUSED))
    changed = running.update(state=ConnectionState.PAUSED, paused_until=None)
    logger.info("Sync with %s paused by %s", provider_registry.spoken_of(), actor.name)
    return Outcome(changed=changed)


def resume(*, actor: Actor) -> Outcome:
    """End any pause, by hand or automatic."""
    actor.require_recent(RIGHT)
    paused = SyncConnection.objects.exclude(state__in=(ConnectionState.OFF, ConnectionState.ACTIVE))
    changed = paused.update(state=ConnectionState.ACTIVE, paused_until=None, pauses=0, message="")
    logger.info("Sync with %s resumed by %s", provider_registry.spoken_of(), actor.name)
    kick("unsubscribes.pull_salesforce")
    return Outcome(changed=changed)


def retry(error_id: int, *, actor: Actor) -> SyncError:
    """Retry the dead letters of one error. Raises `Missing`."""
    actor.require(RIGHT)
    error = SyncError.objects.filter(pk=error_id).first()
    if error is None:
        raise Missing
    retry_dead(Q(record__sf_id=error.sf_id))
    _reopen(Q(pk=error.pk, direction="push"))
    SyncError.objects.filter(pk=error.pk, direction="pull").update(state=SyncError.State.RESOLVED, resolved_at=Now())
    error.refresh_from_db()
    return error


def retry_all(*, actor: Actor) -> Outcome:
    actor.require(RIGHT)
    number = retry_dead(Q())
    _reopen(Q(direction="push"))
    return Outcome(changed=number)


def _reopen(errors: Q) -> None:
    SyncError.objects.filter(errors, state=SyncError.State.DEAD).update(state=SyncError.State.WAITING)
    outbox.make_retries_due()
    kick("unsubscribes.push_salesforce")
