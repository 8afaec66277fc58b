"""The first line of the Sync page: the health of the sync in words."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from salesconnect.common.sync_words import state_words
from unsubscribes.crm import provider_registry
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
    crm = provider_registry.spoken_of()
    if now.state == ConnectionState.OFF:
        return SyncHealth("circle-dashed", _("The sync is set up, but not active yet."))
    if now.state == ConnectionState.PAUSED:
        return SyncHealth("player-pause", _("The sync is paused by hand.") + " " + _waiting(now, crm))
    if now.state != ConnectionState.ACTIVE:
        return SyncHealth("alert-triangle", _paused(now) + " " + _waiting(now, crm))
    if words := _behind(now, readings, crm):
        return SyncHealth("alert-triangle", words)
    if now.dead:
        text = ngettext(
            "%(number)d opt-out could not be written and waits for an administrator.",
            "%(number)d opt-outs could not be written and wait for an administrator.",
            now.dead,
        )
        return SyncHealth("alert-triangle", text % {"number": now.dead})
    return SyncHealth("circle-check", _("All is well.") + " " + _waiting(now, crm), ok=True)


def _paused(now: Status) -> str:
    reason = state_words(now.state)
    if not now.paused_until:
        return f"{reason}."
    until = date_format(timezone.localtime(now.paused_until), "TIME_FORMAT")
    return _("%(reason)s. It is tried again at %(time)s.") % {"reason": reason, "time": until}


def _behind(now: Status, readings: Sequence[ReadStatus], crm: str) -> str:
    hindered = [reading.sobject for reading in readings if reading.trouble]
    if hindered:
        return _("%(object)s cannot be read: a field is hidden.") % {"object": ", ".join(hindered)}
    if any(lag is None for lag in now.lag.values()):
        return _("%(crm)s is being read for the first time.") % {"crm": crm}
    if held := [reading.sobject for reading in readings if reading.held_back]:
        words = _("A transaction that is open in %(crm)s holds %(object)s back; no change is lost by it.")
        return words % {"crm": crm, "object": ", ".join(held)}
    if any(lag and dt.timedelta(seconds=lag) > LATE_READING for lag in now.lag.values()):
        return _("Reading %(crm)s is late.") % {"crm": crm} + " " + _waiting(now, crm)
    if now.oldest and timezone.now() - now.oldest > LATE_WRITING:
        return _("Writing to %(crm)s is late.") % {"crm": crm} + " " + _waiting(now, crm)
    return ""


def _waiting(now: Status, crm: str) -> str:
    if not now.waiting:
        return _("Nothing waits to be written to %(crm)s.") % {"crm": crm}
    text = ngettext(
        "%(number)d opt-out waits to be written to %(crm)s.",
        "%(number)d opt-outs wait to be written to %(crm)s.",
        now.waiting,
    )
    return text % {"number": now.waiting, "crm": crm}
