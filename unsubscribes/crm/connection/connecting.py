"""Setting the connection up: from the page or the environment, tried out first, activated, forgotten again."""

import logging
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from contacts.jobs import engine
from salesconnect.lib.actor import Actor
from salesconnect.lib.encryption import decrypt_or_empty, encrypt
from salesconnect.lib.errors import Conflict, Invalid
from salesconnect.lib.kick import kick
from unsubscribes.crm import provider_registry
from unsubscribes.crm.models import (
    OutboxEntry,
    SyncConnection,
    SyncCursor,
    SyncError,
    SyncJob,
    SyncNotice,
    SyncRecord,
    SyncRun,
)
from unsubscribes.crm.outbox import outbox
from unsubscribes.crm.people import record_ids
from unsubscribes.crm.provider import Provider
from unsubscribes.crm.runs import dry_run
from unsubscribes.crm.runs.running import RunKind
from unsubscribes.crm.values import ConnectionCheck

ConnectionState = SyncConnection.State
RIGHT = "manage_salesforce"
SIGN_IN = ("provider", "flow", "login_url", "client_id", "username")
SETTABLE = (*SIGN_IN, "opt_out_field", "create_people", "budget_percent")
MOST_PERCENT = 100
logger = logging.getLogger(__name__)


def connection() -> SyncConnection | None:
    return SyncConnection.objects.first()


def by_environment() -> bool:
    """Tell whether environment variables configure the sign-in; the page shows it read-only then."""
    return any(crm.environment() for crm in provider_registry.every())


def shown() -> SyncConnection:
    """Return the connection for display: as stored, with the values of the environment, or empty. Stores nothing."""
    row = connection() or SyncConnection()
    if by_environment():
        for name, value in _sign_in_of_environment().items():
            setattr(row, name, value)
    return row


@transaction.atomic
def connect(values: dict[str, Any], *, actor: Actor) -> SyncConnection:
    """Set up the connection, or change the fields in `values`; an empty `secret` keeps the stored one.

    Another opt-out field means other opt-outs, so the sync is switched off until a new dry run is accepted. Raises
    `Invalid`, and `Conflict` (`other_crm`).
    """
    actor.require_recent(RIGHT)
    row = SyncConnection.objects.select_for_update().filter(pk=1).first() or SyncConnection(pk=1)
    before = {name: getattr(row, name) for name in SETTABLE}
    for name in SETTABLE:
        setattr(row, name, values.get(name, before[name]))
    if before["provider"] != row.provider and row.set_up_at:
        raise Conflict("other_crm", _("Disconnect the CRM that is connected first."))
    row.login_url = str(row.login_url).strip().rstrip("/")
    elsewhere = not provider_registry.of(row).is_same_place(row.login_url, before["login_url"])
    if elsewhere:
        row.secret = ""  # never send a secret to another host than the one it was entered for
    if errors := _faults(row, values.get("secret", "")):
        raise Invalid(errors)
    if values.get("secret"):
        row.secret = encrypt(values["secret"])
    _forget_token(row)
    if row.set_up_at and row.opt_out_field != before["opt_out_field"]:
        _start_over(row)
    elif not row.set_up_at or (_moved(row, before) and not SyncRecord.objects.exists()):
        row.set_up_at, row.org_id = Now(), ""
    row.save()
    row.refresh_from_db()
    logger.info("%s connection set up by %s", provider_registry.of(row).name, actor.name)
    return row


def _moved(row: SyncConnection, before: dict[str, Any]) -> bool:
    return any(getattr(row, name) != before[name] for name in SIGN_IN)


def _forget_token(row: SyncConnection) -> None:
    row.access_token, row.refreshing_until, row.composite = "", None, True
    row.conditional_writes = row.conditional_at = None
    row.token_generation += 1
    if row.state == ConnectionState.PAUSED_AUTH:
        row.state, row.paused_until, row.pauses, row.message = ConnectionState.ACTIVE, None, 0, ""


def _start_over(row: SyncConnection) -> None:
    """Discard the stored values of the boxes, which are of another field."""
    SyncRecord.objects.update(opted_out=None, pushed=None, stamp=None)
    SyncJob.objects.all().delete()
    outbox.reclaim()
    SyncCursor.objects.all().delete()
    row.state, row.set_up_at, row.paused_until, row.message = ConnectionState.OFF, Now(), None, ""
    row.reconciled_at = row.linked_at = None
    row.hash_key = ""


def _faults(row: SyncConnection, secret: str) -> dict[str, list[str]]:
    faults = provider_registry.of(row).faults(row, secret)
    if not 1 <= row.budget_percent <= MOST_PERCENT:
        faults["budget_percent"] = _("Give a number from 1 to 100.")
    return {name: [words] for name, words in faults.items()}


def from_environment(*, actor: Actor) -> SyncConnection | None:
    row = connection()
    if not by_environment():
        return row
    values = environment()
    same = row and all(getattr(row, name) == value for name, value in values.items() if name != "secret")
    if row and same and decrypt_or_empty(row.secret) == values["secret"]:
        return row
    # The environment sets the connection up, not the user whose request comes first: no recent sign-in is needed.
    return connect(values, actor=replace(actor, is_recent=True))


def environment() -> dict[str, Any]:
    """Return the sign-in that the environment configures, with the secret. Raises `Invalid` if it cannot be read."""
    return _sign_in_of_environment() | {"secret": _crm_of_environment().environment_secret()}


def _sign_in_of_environment() -> dict[str, str]:
    crm = _crm_of_environment()
    return (crm.environment() or {}) | {"provider": crm.key}


def _crm_of_environment() -> Provider:
    return next((crm for crm in provider_registry.every() if crm.environment()), provider_registry.current())


def test(*, actor: Actor) -> list[ConnectionCheck]:
    """Run the checks of the connection; changes nothing in the CRM. Raises `Conflict` when nothing is set up."""
    actor.require(RIGHT)
    row = from_environment(actor=actor)
    if row is None:
        raise Conflict("not_connected", _("%(crm)s is not connected.") % {"crm": provider_registry.spoken_of()})
    return provider_registry.of(row).check(row)


def last_dry_run() -> SyncRun | None:
    """Return the newest dry run since the connection was set up, in any state."""
    row = connection()
    if row is None or row.set_up_at is None:
        return None
    return SyncRun.objects.filter(kind=RunKind.DRY_RUN, created_at__gte=row.set_up_at).order_by("-pk").first()


def accepted_dry_run() -> SyncRun | None:
    """Return the newest finished dry run since the connection was set up, which activation requires."""
    row = connection()
    if row is None or row.set_up_at is None:
        return None
    done = SyncRun.objects.filter(kind=RunKind.DRY_RUN, state=SyncRun.State.DONE, created_at__gte=row.set_up_at)
    return done.order_by("-pk").first()


@transaction.atomic
def activate(*, actor: Actor, confirmed: bool = False) -> SyncConnection:
    """Activate the sync. Raises `Conflict`: `dry_run_first`, or `confirm` when many changes need a confirmation."""
    actor.require_recent(RIGHT)
    row = SyncConnection.objects.select_for_update().first()
    tried = accepted_dry_run()
    if row is None or tried is None:
        raise Conflict("dry_run_first", _("Make a dry run first."))
    if dry_run.needs_confirmation(tried.findings) and not confirmed:
        raise Conflict("confirm", _("So much would change that it has to be confirmed."), **tried.findings)
    if row.state == ConnectionState.OFF:
        row.state, row.activated_at, row.paused_until, row.message = ConnectionState.ACTIVE, Now(), None, ""
        row.save()
        row.refresh_from_db()
        logger.info("Sync with %s activated by %s", provider_registry.of(row).name, actor.name)
        kick("unsubscribes.pull_salesforce")
    return row


@transaction.atomic
def disconnect(*, actor: Actor) -> None:
    """Delete the connection and all stored records; people and their opt-outs stay."""
    actor.require_recent(RIGHT)
    crm = provider_registry.spoken_of()
    record_ids.take_back(actor=actor)
    # No ANALYZE afterwards: with statistics of empty tables, PostgreSQL would plan badly when the next org fills them.
    for model in (SyncJob, OutboxEntry, SyncRecord, SyncNotice, SyncError, SyncCursor, SyncConnection):
        model.objects.all().delete()
    engine.end(SyncRun.objects.all(), SyncRun.State.CANCELLED)
    dry_run.forget(SyncRun.objects.filter(kind=RunKind.DRY_RUN))
    logger.info("%s disconnected by %s", crm, actor.name)
