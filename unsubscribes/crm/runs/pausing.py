"""Automatic pauses of the connection. They end by themselves when the cause is gone."""

import datetime as dt

from django.db.models import Q
from django.db.models.functions import Now

from unsubscribes.crm.models import TEXT_LIMIT, SyncConnection
from unsubscribes.crm.provider_errors import ErrorKind, ProviderError

ConnectionState = SyncConnection.State
STATES = {
    ErrorKind.AUTH: ConnectionState.PAUSED_AUTH,
    ErrorKind.QUOTA: ConnectionState.PAUSED_QUOTA,
    ErrorKind.PERMISSION: ConnectionState.PAUSED_PERMISSION,
}
BY_ITSELF = tuple(STATES.values())
OURS = ("BUDGET_USED", "ORG_LIMIT_NEAR")
SHORTEST, LONGEST = 15, 60


def pause(error: ProviderError) -> None:
    """Pause the connection for 15 to 60 minutes after an error that concerns every request.

    Exceeding our own budget does not pause it: only this read ends, and opt-outs are still written.
    """
    if error.kind not in STATES or error.code in OURS:
        return
    row = SyncConnection.objects.get()
    if row.state not in (ConnectionState.ACTIVE, *BY_ITSELF):
        return
    minutes = min(SHORTEST * 2**row.pauses, LONGEST) if error.kind is ErrorKind.QUOTA else LONGEST
    SyncConnection.objects.filter(state=row.state).update(
        state=STATES[error.kind],
        paused_until=Now() + dt.timedelta(minutes=minutes),
        pauses=min(row.pauses + 1, 10),
        message=f"{error.code} {error.message}".strip()[:TEXT_LIMIT],
    )


def succeeded() -> None:
    """End an automatic pause after a successful run."""
    SyncConnection.objects.filter(Q(state__in=BY_ITSELF) | Q(pauses__gt=0)).exclude(
        state__in=(ConnectionState.OFF, ConnectionState.PAUSED)
    ).update(state=ConnectionState.ACTIVE, paused_until=None, pauses=0, message="")


def may_run() -> bool:
    due = Q(state=ConnectionState.ACTIVE) | Q(state__in=BY_ITSELF, paused_until__lte=Now())
    return SyncConnection.objects.filter(due).exists()
