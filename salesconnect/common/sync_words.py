"""What the sync says to people: codes of Salesforce and of the sync itself in plain words, with what to do."""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from unsubscribes.crm import clock
from unsubscribes.crm.models import SyncConnection, SyncRun
from unsubscribes.crm.monitoring import alerts
from unsubscribes.crm.runs import dry_run

State = SyncConnection.State


class Words(NamedTuple):
    """What a code means, and what to do about it (empty: nothing, it heals by itself)."""

    what: str
    advice: str


Lazy = tuple[str | Promise, str | Promise]

_SIGN_IN = _("Check consumer key, secret or key, and that the app has a user to run as.")
_RULE = _("Change the rule or the record in Salesforce, then press Retry. It is also tried again once a day.")
_ACCESS = _("Give the user of the app edit access to the object and to the field, then press Retry.")
_RESTART = _("Look whether a worker and the beat are running.")
_BY_ITSELF = _("Nothing: it is tried again by itself.")

_SEEMS_GONE = _("Salesforce answers as if there were no such record, but does not say that it was deleted")
_SEE = _(
    "Let the user of the app see the record and use its record type, or correct the Salesforce ID; then press Retry."
)

CODES: dict[str, Lazy] = {
    # records
    "AUTOMATION_KEEPS_CLEARING": (
        _("Something in Salesforce keeps clearing the opt-out"),
        _(
            "Look for the flow, trigger or integration of the user who changed the record last, stop it, then press "
            "Retry."
        ),
    ),
    "OPT_OUT_WINS": (
        _("A newer opt-out in Salesforce overruled a new consent"),
        _("Nothing: the person stays unsubscribed. Ask the person if you are in doubt."),
    ),
    "INVALID_FIELD": (
        _("The opt-out field is hidden"),
        _("Make the field visible to the user of the app (field-level security). The other object goes on meanwhile."),
    ),
    "INVALID_TYPE": (_("The object is hidden"), _("Give the user of the app access to the object.")),
    "UNABLE_TO_LOCK_ROW": (_("Somebody else was writing the record"), _BY_ITSELF),
    "ENTITY_IS_LOCKED": (_("The record is locked by an approval"), _("Nothing: it is tried again every hour.")),
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": (_("A validation rule refuses the record"), _RULE),
    "FIELD_FILTER_VALIDATION_EXCEPTION": (_("A lookup filter refuses the record"), _RULE),
    "REQUIRED_FIELD_MISSING": (_("A required field of the record is empty"), _RULE),
    "STRING_TOO_LONG": (_("A text of the record is too long"), _RULE),
    "DUPLICATES_DETECTED": (_("A duplicate rule refuses the record"), _RULE),
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": (_("A trigger refuses the record"), _RULE),
    "INSUFFICIENT_ACCESS_OR_READONLY": (_("The record may only be read"), _ACCESS),
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": (_("The record may not be seen"), _ACCESS),
    "INVALID_FIELD_FOR_INSERT_UPDATE": (_("The opt-out field may only be read"), _ACCESS),
    "MALFORMED_ID": (_("There is no such Salesforce ID"), _("Correct the Salesforce ID of the person.")),
    "CANNOT_EXECUTE_FLOW_TRIGGER": (_("A flow refuses the record"), _RULE),
    "INVALID_CROSS_REFERENCE_KEY": (_SEEMS_GONE, _SEE),
    "ENTITY_IS_DELETED": (_SEEMS_GONE, _SEE),
    "NOT_FOUND": (_SEEMS_GONE, _SEE),
    "OTHER_ADDRESS": (
        _("The sync ticked the box of a record whose address had just been changed"),
        _(
            "Ask whether the person with the new address is opted out too. If so, unsubscribe the person here; if not, "
            "clear the box in Salesforce."
        ),
    ),
    "UNPROCESSED": (_("Salesforce ended the job before this record"), _BY_ITSELF),
    # requests
    "REQUEST_LIMIT_EXCEEDED": (
        _("The org's API calls of the day are used up"),
        _("Nothing: it goes on when calls are free again. What waits is kept."),
    ),
    "BUDGET_USED": (
        _("The sync's own share of the day's API calls is used up"),
        _("Nothing, or raise the share in the settings. Opt-outs are still written."),
    ),
    "ORG_LIMIT_NEAR": (
        _("The org's API calls of the day are nearly used up"),
        _("Nothing: reading waits, opt-outs are still written."),
    ),
    "invalid_client": (_("Salesforce does not know the app or its secret"), _SIGN_IN),
    "invalid_client_id": (_("Salesforce does not know the app"), _SIGN_IN),
    "invalid_grant": (_("Salesforce refuses the sign-in"), _SIGN_IN),
    "INVALID_SESSION_ID": (_("Salesforce ends every session at once"), _SIGN_IN),
    "BAD_PRIVATE_KEY": (_("The private key cannot be used"), _("Give the private key anew.")),
    "OTHER_ORG": (
        _("The app opens another org than before"),
        _("Check the login URL; to move to the other org, disconnect first."),
    ),
    "INSTANCE_MOVED": (
        _("Salesforce sends us to another address"),
        _("Check the login URL: the My Domain of the org may have been renamed. It is also tried again once an hour."),
    ),
    "LOGIN_URL_MOVED": (
        _("The login URL sends us to another address"),
        _("Give the new login URL of the org: its My Domain may have been renamed."),
    ),
    "NOT_SALESFORCE": (_("Something else than Salesforce answers, or Salesforce is down for maintenance"), _BY_ITSELF),
    "UNSAFE_INSTANCE_URL": (_("Salesforce names an address that is none of its own"), _("Check the login URL.")),
    "UNSAFE_LOGIN_URL": (
        _("The login URL is no address of Salesforce's"),
        _("Give the org's address at Salesforce, with https, in the settings."),
    ),
    "API_DISABLED_FOR_ORG": (_("The org or the user may not use the API"), _("Let the user of the app use the API.")),
    # work that waits
    "RUN_SILENT": (_("A run has not been heard of."), _RESTART),
    "RUN_WAITS": (_("A run waits to be begun."), _RESTART),
    "NOTICES_WAIT": (_("Opt-outs have not been put into the outbox."), _RESTART),
    "OUTBOX_WAITS": (_("The outbox is not being emptied."), _RESTART),
    "LEASE_LEFT": (_("What a stopped worker had taken waits."), _RESTART),
    "JOB_LASTS": (
        _("A large job of Salesforce's has not ended."),
        _("Look at the bulk data load jobs in Salesforce's setup; nothing is written a second time meanwhile."),
    ),
    # answers
    "NO_ANSWER": (_("Salesforce cannot be reached"), _BY_ITSELF),
    "BAD_BODY": (_("Salesforce's answer could not be read"), _BY_ITSELF),
    "TOKEN_TIMEOUT": (_("The sign-in took too long"), _BY_ITSELF),
    "UNCONDITIONAL_WRITES": (
        _("Salesforce writes a record though it has changed meanwhile"),
        _(
            "No new consent is written to Salesforce until that is mended: look for a proxy that removes the header "
            "If-Unmodified-Since, then test the connection."
        ),
    ),
    "CLOCK_DIFFERS": (
        _("The clock here differs from Salesforce's"),
        _("Set the clock of this machine (NTP); a sign-in with a private key is refused while it is wrong."),
    ),
    "KEEPS_MOVING": (_("A record changed again and again while it was written"), _BY_ITSELF),
    "INVALID_QUERY_LOCATOR": (_("Salesforce forgot a list while it was read"), _BY_ITSELF),
    "INTERNAL_ERROR": (_("Something broke here; it has been logged"), _("Tell whoever runs this site.")),
    "overtaken": (_("Another run took over"), _BY_ITSELF),
    "killed": (_("The worker was stopped in the middle"), _BY_ITSELF),
}


def code_words(code: str) -> Words:
    """Return what a code means and what to do; it may end in the object that it is about, as in INVALID_FIELD:Lead."""
    name, _colon, sobject = code.partition(":")
    if known := CODES.get(name):
        what = f"{known[0]} ({sobject})" if sobject else str(known[0])
        return Words(what, str(known[1]))
    if name.startswith("HTTP_"):
        return Words(_t("Salesforce answered with an error"), str(_BY_ITSELF))
    return Words(_t("Salesforce refuses it"), _t("Read Salesforce's own words, and press Retry when it is mended."))


def alert_words(alert: alerts.Alert) -> Words:
    """Return what an alert means and what to do; of clocks, by how much they differ."""
    words = code_words(alert.code)
    return words._replace(what=f"{clock.words(alert.skew)}.") if alert.skew is not None else words


def message_words(message: str) -> Words | None:
    """Return the words of what a run or the connection remembers of a failure, which begins with its code."""
    return code_words(message.split(" ", 1)[0]) if message else None


def connection_trouble(row: SyncConnection) -> Words | None:
    """Return why the connection has paused by itself; None when it has not."""
    paused = (State.PAUSED_AUTH, State.PAUSED_QUOTA, State.PAUSED_PERMISSION)
    return message_words(row.message) if row.state in paused else None


def finding_words(run: SyncRun) -> list[tuple[str, int]]:
    """Return what a dry run found: each kind in words with its number."""
    return [(words, run.findings.get(kind, 0)) for kind, words in kinds().items()]


def kinds() -> dict[str, str]:
    """Return what each kind of finding of a dry run is called."""
    return {
        dry_run.OPT_OUT: _t("would be unsubscribed here"),
        dry_run.WRITE: _t("would be opted out in Salesforce"),
        dry_run.AMBIGUOUS: _t("belong to one person by ID and to another by address"),
        dry_run.UNMATCHED: _t("have nobody here"),
    }
