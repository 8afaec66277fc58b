"""Texts for the codes of the sync and of the CRM, each with advice."""

from typing import NamedTuple

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from salesconnect.lib.text import Text
from unsubscribes.crm import clock, provider_registry
from unsubscribes.crm.models import SyncConnection, SyncRun
from unsubscribes.crm.monitoring import alerts
from unsubscribes.crm.runs import dry_run
from unsubscribes.crm.values import Explanation as CrmWords

ConnectionState = SyncConnection.State


class CodeWords(NamedTuple):
    """The meaning of a code, and advice; empty advice if it resolves itself."""

    what: str
    advice: str


CRM = "%(crm)s"
_RESTART = _("Look whether a worker and the beat are running.")
_BY_ITSELF = _("Nothing: it is tried again by itself.")

CODES: dict[str, CrmWords] = {
    "BUDGET_USED": (
        _("The sync's own share of the day's API calls is used up"),
        _("Nothing, or raise the share in the settings. Opt-outs are still written."),
    ),
    "RUN_SILENT": (_("A run has not been heard of."), _RESTART),
    "RUN_WAITS": (_("A run waits to be begun."), _RESTART),
    "NOTICES_WAIT": (_("Opt-outs have not been put into the outbox."), _RESTART),
    "OUTBOX_WAITS": (_("The outbox is not being emptied."), _RESTART),
    "LEASE_LEFT": (_("What a stopped worker had taken waits."), _RESTART),
    "TOKEN_TIMEOUT": (_("The sign-in took too long"), _BY_ITSELF),
    "KEEPS_MOVING": (_("A record changed again and again while it was written"), _BY_ITSELF),
    "AUTOMATION_KEEPS_CLEARING": (
        _("Something in %(crm)s keeps clearing the opt-out"),
        _(
            "Look for the flow, trigger or integration of the user who changed the record last, stop it, then press "
            "Retry."
        ),
    ),
    "OPT_OUT_WINS": (
        _("A newer opt-out in %(crm)s overruled a new consent"),
        _("Nothing: the person stays unsubscribed. Ask the person if you are in doubt."),
    ),
    "OTHER_ADDRESS": (
        _("The sync ticked the box of a record whose address had just been changed"),
        _(
            "Ask whether the person with the new address is opted out too. If so, unsubscribe the person here; if not, "
            "clear the box in %(crm)s."
        ),
    ),
    "NOT_FOUND": (
        _("%(crm)s answers as if there were no such record, but does not say that it was deleted"),
        _(
            "Let the user of the app see the record and use its record type, or correct the %(crm)s ID; then press "
            "Retry."
        ),
    ),
    "JOB_LASTS": (
        _("A large job of %(crm)s's has not ended."),
        _("Look at the bulk data load jobs in %(crm)s's setup; nothing is written a second time meanwhile."),
    ),
    "CLOCK_DIFFERS": (
        _("The clock here differs from %(crm)s's"),
        _("Set the clock of this machine (NTP); a sign-in with a private key is refused while it is wrong."),
    ),
    "INTERNAL_ERROR": (_("Something broke here; it has been logged"), _("Tell whoever runs this site.")),
    "overtaken": (_("Another run took over"), _BY_ITSELF),
    "killed": (_("The worker was stopped in the middle"), _BY_ITSELF),
}
ANSWERED: CrmWords = (_("%(crm)s answered with an error"), _BY_ITSELF)
REFUSED: CrmWords = (_("%(crm)s refuses it"), _("Read %(crm)s's own words, and press Retry when it is mended."))
# The schema of the API has the labels of the model, which know one CRM.
STATES: dict[str, Text] = {
    ConnectionState.PAUSED_AUTH: _("Paused: %(crm)s refuses the sign-in"),
    ConnectionState.PAUSED_PERMISSION: _("Paused: a permission is missing in %(crm)s"),
}


def code_words(code: str, crm: str = "") -> CodeWords:
    """Return the texts of a code, which may end in the object concerned, as in `INVALID_FIELD:Lead`.

    `crm` is what the CRM is called: a list passes it, so that it is looked up once for all rows.
    """
    name, _colon, sobject = code.partition(":")
    known = CODES.get(name) or _known(name)
    what, advice = (_naming(text, crm) for text in known or (ANSWERED if name.startswith("HTTP_") else REFUSED))
    return CodeWords(f"{what} ({sobject})" if known and sobject else what, advice)


def _naming(text: Text, crm: str = "") -> str:
    """Return a text with the name of the CRM in its place; the words of a CRM itself may hold any sign."""
    words = str(text)
    return words % {"crm": crm or provider_registry.spoken_of()} if CRM in words else words


def _known(code: str) -> CrmWords | None:
    """Return the texts of a code of any CRM; stored codes may be from one connected earlier."""
    return next((found for crm in provider_registry.every() if (found := crm.words().get(code))), None)


def alert_words(alert: alerts.Alert) -> CodeWords:
    """Return the texts of an alert; for differing clocks, with the difference."""
    words = code_words(alert.code)
    if alert.skew is None:
        return words
    return words._replace(what=f"{clock.words(alert.skew, provider_registry.spoken_of())}.")


def message_words(message: str) -> CodeWords | None:
    """Return the texts of a stored failure message, which begins with its code."""
    return code_words(message.split(" ", 1)[0]) if message else None


def state_words(state: str) -> str:
    """Return the state of the connection in words."""
    return _naming(STATES.get(state, ConnectionState(state).label))


def connection_trouble(row: SyncConnection) -> CodeWords | None:
    """Return why the sync has paused itself; None if it has not."""
    paused = (ConnectionState.PAUSED_AUTH, ConnectionState.PAUSED_QUOTA, ConnectionState.PAUSED_PERMISSION)
    return message_words(row.message) if row.state in paused else None


def finding_words(run: SyncRun) -> list[tuple[str, int]]:
    """Return the findings of a dry run: each kind in words with its number."""
    return [(words, run.findings.get(kind, 0)) for kind, words in kinds().items()]


def kinds() -> dict[str, str]:
    """Return the label of each kind of dry-run finding."""
    return {
        dry_run.OPT_OUT: _t("would be unsubscribed here"),
        dry_run.WRITE: _naming(_("would be opted out in %(crm)s")),
        dry_run.AMBIGUOUS: _t("belong to one person by ID and to another by address"),
        dry_run.UNMATCHED: _t("have nobody here"),
    }
