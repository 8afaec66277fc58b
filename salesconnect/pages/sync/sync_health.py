"""The first line of the Sync page: the health of the sync in words."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from unsubscribes.crm.models import SyncConnection
from unsubscribes.crm.monitoring.status import ReadStatus, Status

ConnectionState = SyncConnection.State
LATE_READING = dt.timedelta(minutes=30)
LATE_WRITING = dt.timedelta(minutes=15)


class SyncHealth(NamedTuple):
    """The health of the sync, with the icon for it."""

    icon: str
    words: str
    ok: bool = False


def health_of(now: Status, readings: Sequence[ReadStatus]) -> SyncHealth:
    """Return the health of the sync; of several problems the worst."""
    if now.state == ConnectionState.OFF:
        return SyncHealth("circle-dashed", _("The sync is set up, but not active yet."))
    if now.state == ConnectionState.PAUSED:
        return SyncHealth("player-pause", _("The sync is paused by hand.") + " " + _waiting(now))
    if now.state != ConnectionState.ACTIVE:
        return SyncHealth("alert-triangle", _paused(now) + " " + _waiting(now))
    if words := _behind(now, readings):
        return SyncHealth("alert-triangle", words)
    if now.dead:
        text = ngettext(
            "%(number)d opt-out could not be written and waits for an administrator.",
            "%(number)d opt-outs could not be written and wait for an administrator.",
            now.dead,
        )
        return SyncHealth("alert-triangle", text % {"number": now.dead})
    return SyncHealth("circle-check", _("All is well.") + " " + _waiting(now), ok=True)


def _paused(now: Status) -> str:
    reason = str(ConnectionState(now.state).label)
    if not now.paused_until:
        return f"{reason}."
    until = date_format(timezone.localtime(now.paused_until), "TIME_FORMAT")
    return _("%(reason)s. It is tried again at %(time)s.") % {"reason": reason, "time": until}


def _behind(now: Status, readings: Sequence[ReadStatus]) -> str:
    hindered = [reading.sobject for reading in readings if reading.trouble]
    if hindered:
        return _("%(object)s cannot be read: a field is hidden.") % {"object": ", ".join(hindered)}
    if any(lag is None for lag in now.lag.values()):
        return _("Salesforce is being read for the first time.")
    if held := [reading.sobject for reading in readings if reading.held_back]:
        words = _("A transaction that is open in Salesforce holds %(object)s back; no change is lost by it.")
        return words % {"object": ", ".join(held)}
    if any(lag and dt.timedelta(seconds=lag) > LATE_READING for lag in now.lag.values()):
        return _("Reading Salesforce is late.") + " " + _waiting(now)
    if now.oldest and timezone.now() - now.oldest > LATE_WRITING:
        return _("Writing to Salesforce is late.") + " " + _waiting(now)
    return ""


def _waiting(now: Status) -> str:
    if not now.waiting:
        return _("Nothing waits to be written to Salesforce.")
    text = ngettext(
        "%(number)d opt-out waits to be written to Salesforce.",
        "%(number)d opt-outs wait to be written to Salesforce.",
        now.waiting,
    )
    return text % {"number": now.waiting}
