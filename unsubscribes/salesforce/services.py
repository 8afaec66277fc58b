"""The acts on the sync: connect, try out, activate, pause, resume, run, try again."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from salesconnect.lib.actor import Actor
from salesconnect.lib.errors import Conflict, Invalid, Missing
from salesconnect.lib.kick import kick
from salesconnect.lib.outcome import Outcome
from unsubscribes.salesforce import dry_run, outbox
from unsubscribes.salesforce.auth import safe_url
from unsubscribes.salesforce.models import (
    SyncConnection,
    SyncCursor,
    SyncError,
    SyncNotice,
    SyncRecord,
    SyncRun,
    SyncWish,
)
from unsubscribes.salesforce.push import retry_dead
from unsubscribes.salesforce.running import Kind
from unsubscribes.salesforce.sealing import seal, unseal

State = SyncConnection.State
RIGHT = "manage_salesforce"
SETTABLE = ("flow", "login_url", "client_id", "username", "opt_out_field", "create_people", "budget_percent")


def connection() -> SyncConnection | None:
    """Return the connection; None when none is set up."""
    return SyncConnection.objects.first()


@transaction.atomic
def connect(values: dict[str, Any], *, actor: Actor) -> SyncConnection:
    """Set the connection up, or change it; `secret` stays as it is when it is empty. Raises `Invalid`."""
    actor.require(RIGHT)
    values = {name: value for name, value in values.items() if name in (*SETTABLE, "secret")}
    url = str(values.get("login_url", "")).rstrip("/")
    if not safe_url(url):
        raise Invalid({"login_url": [_("Give an address that begins with https://.")]})
    row = SyncConnection.objects.select_for_update().filter(pk=1).first() or SyncConnection(pk=1)
    for name in SETTABLE:
        if name in values:
            setattr(row, name, values[name])
    row.login_url = url
    if values.get("secret"):
        row.secret = seal(values["secret"])
    if not row.secret:
        raise Invalid({"secret": [_("Give the consumer secret, or the private key.")]})
    row.access_token, row.refreshing_until = "", None
    row.token_generation += 1
    row.composite = True
    if row.state == State.PAUSED_AUTH:
        row.state, row.paused_until, row.pauses = State.ACTIVE, None, 0
    row.save()
    return row


def from_environment(*, actor: Actor) -> SyncConnection | None:
    """Return the connection, set up as the environment says where it says anything."""
    row = connection()
    if not (settings.SALESFORCE_LOGIN_URL and settings.SALESFORCE_CLIENT_ID):
        return row
    values = _environment()
    same = row and all(getattr(row, name) == values[name] for name in ("flow", "login_url", "client_id", "username"))
    if row and same and unseal(row.secret) == values["secret"]:
        return row
    return connect(values, actor=actor)


def _environment() -> dict[str, str]:
    by_key = bool(settings.SALESFORCE_JWT_KEY_FILE)
    try:
        secret = Path(settings.SALESFORCE_JWT_KEY_FILE).read_text() if by_key else settings.SALESFORCE_CLIENT_SECRET
    except OSError:
        raise Invalid({"secret": [_("The file of the private key cannot be read.")]}) from None
    flow = SyncConnection.Flow.JWT_BEARER if by_key else SyncConnection.Flow.CLIENT_CREDENTIALS
    return {
        "flow": str(flow),
        "login_url": settings.SALESFORCE_LOGIN_URL,
        "client_id": settings.SALESFORCE_CLIENT_ID,
        "username": settings.SALESFORCE_USERNAME,
        "secret": secret,
    }


def order(
    *, actor: Actor, direction: str = "both", is_dry: bool = False, full: bool = False, start: bool = True
) -> SyncRun:
    """Order a run; a worker does it unless `start` is false. Raises `Conflict` when the sync is not set up or off."""
    actor.require(RIGHT)
    row = from_environment(actor=actor)
    if row is None:
        raise Conflict("not_connected", _("Salesforce is not connected."))
    if not is_dry and row.state in (State.OFF, State.PAUSED):
        raise Conflict(str(row.state), _("The sync with Salesforce is not active."))
    kinds = {"pull": Kind.PULL, "push": Kind.PUSH, "both": Kind.BOTH}
    kind = Kind.DRY_RUN if is_dry else Kind.FULL if full else kinds[direction]
    run = SyncRun.objects.create(kind=kind, direction=direction, dry_run=is_dry, actor_name=actor.name)
    if start:
        kick("unsubscribes.run_salesforce", run.pk)
    return run


def last_dry_run() -> SyncRun | None:
    """Return the newest dry run that was finished."""
    return SyncRun.objects.filter(kind=Kind.DRY_RUN, state=SyncRun.State.DONE).order_by("-pk").first()


@transaction.atomic
def activate(*, actor: Actor, confirmed: bool = False) -> SyncConnection:
    """Let the sync begin. Raises `Conflict`: `dry_run_first`, or `confirm` when it would change so much that somebody
    has to say yes.
    """
    actor.require(RIGHT)
    row = SyncConnection.objects.select_for_update().first()
    tried = last_dry_run()
    if row is None or tried is None:
        raise Conflict("dry_run_first", _("Make a dry run first."))
    if dry_run.needs_a_yes(tried.findings) and not confirmed:
        raise Conflict("confirm", _("So much would change that it has to be confirmed."), **tried.findings)
    if row.state == State.OFF:
        row.state, row.activated_at, row.paused_until, row.message = State.ACTIVE, Now(), None, ""
        row.save()
        row.refresh_from_db()
        kick("unsubscribes.pull_salesforce")
    return row


def pause(*, actor: Actor) -> Outcome:
    """Stop the sync until somebody resumes it; opt-outs wait in the outbox."""
    actor.require(RIGHT)
    running = SyncConnection.objects.exclude(state__in=(State.OFF, State.PAUSED))
    return Outcome(changed=running.update(state=State.PAUSED, paused_until=None))


def resume(*, actor: Actor) -> Outcome:
    """Let the sync go on, whatever it was paused for."""
    actor.require(RIGHT)
    paused = SyncConnection.objects.exclude(state__in=(State.OFF, State.ACTIVE))
    changed = paused.update(state=State.ACTIVE, paused_until=None, pauses=0, message="")
    kick("unsubscribes.pull_salesforce")
    return Outcome(changed=changed)


@transaction.atomic
def disconnect(*, actor: Actor) -> None:
    """Forget the org with all that is known of its records; the people and their opt-outs stay."""
    actor.require(RIGHT)
    for model in (SyncWish, SyncRecord, SyncNotice, SyncError, SyncCursor, SyncConnection):
        model.objects.all().delete()


def retry(error_id: int, *, actor: Actor) -> SyncError:
    """Try again what was given up for one error. Raises `Missing`."""
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
    """Try again all that was given up."""
    actor.require(RIGHT)
    number = retry_dead(Q())
    _reopen(Q(direction="push"))
    return Outcome(changed=number)


def _reopen(errors: Q) -> None:
    SyncError.objects.filter(errors, state=SyncError.State.DEAD).update(state=SyncError.State.WAITING)
    outbox.hurry()
    kick("unsubscribes.push_salesforce")
