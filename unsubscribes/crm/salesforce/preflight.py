"""The connection test: what has to be right in the org, with advice for each check that fails.

It only reads, except for one write that the org has to refuse (`conditional_writes`). It stores whether the org uses
person accounts, and which objects keep a field history.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from salesconnect.lib.database.sql import fill
from unsubscribes.crm import clock
from unsubscribes.crm.models import SyncConnection
from unsubscribes.crm.provider_errors import ErrorKind, ProviderError
from unsubscribes.crm.salesforce import conditional_writes
from unsubscribes.crm.salesforce.api import auth
from unsubscribes.crm.salesforce.api.client import Client
from unsubscribes.crm.salesforce.mapping import IS_PERSON, SOBJECTS, Sobject, literal, moment, on_account
from unsubscribes.crm.values import ConnectionCheck

PATIENCE = 10.0
MINUTE = dt.timedelta(minutes=1)
HIDDEN_SHARE = 0.9
NEEDED = ("SystemModstamp", "LastModifiedById", "MasterRecordId")


def check(connection: SyncConnection) -> list[ConnectionCheck]:
    """Return all checks; if the sign-in fails, only that one."""
    try:
        auth.renewed(connection.token_generation)
    except ProviderError as error:
        advice = _("Check login URL, consumer key and secret, and that the app has a user to run as.")
        return [ConnectionCheck(False, _("Sign-in"), f"{error.code} {error.message}".strip(), advice)]
    with Client(connection.api_version, patience=PATIENCE, read_only=True) as client:
        return [ConnectionCheck(True, _("Sign-in"), connection.login_url), *_lines(client, connection)]


def remember(client: Client, connection: SyncConnection) -> None:
    """Store whether there are person accounts, and which objects keep a history. Raises `ProviderError`."""
    accounts = _fields_of_account(client)
    kept = [sobject.name for sobject in SOBJECTS if _keeps_history(client.get(f"sobjects/{sobject.name}/describe"))]
    connection.person_accounts, connection.history_of = IS_PERSON in accounts, kept
    connection.save(update_fields=["person_accounts", "history_of"])


def _lines(client: Client, connection: SyncConnection) -> Iterator[ConnectionCheck]:
    yield from _asked(_("Org"), partial(_org, client), "")
    yield from _asked(_("API version"), partial(_version, client, connection.api_version), "")
    yield from _asked(_("API calls"), partial(_limits, client), _("Let the user of the app use the API."))
    kept: list[str] = []
    for sobject in SOBJECTS:
        advice = _("Give the user of the app read access to the object, and View All.")
        yield from _asked(sobject.name, partial(_object, client, sobject, connection.opt_out_field, kept), advice)
        yield from _asked(sobject.name, partial(_sharing, client, sobject), advice)
    yield from _asked(_("List of changes"), partial(_changes, client), _("Without it reading lags ten minutes behind."))
    yield from _asked(_("Clock"), partial(_clock, client), "")
    yield from _asked(_("Careful writing"), partial(_careful, connection), _("Without it no new consent is written."))
    yield _history(kept)
    yield from _asked(_("Person accounts"), partial(_person_accounts, client, connection), "")
    connection.history_of = kept
    connection.save(update_fields=["person_accounts", "history_of"])


def _asked(what: str, ask: Callable[[], list[ConnectionCheck]], advice: str) -> list[ConnectionCheck]:
    try:
        return ask()
    except ProviderError as error:
        return [ConnectionCheck(False, what, f"{error.code} {error.message}".strip(), advice)]
    except (KeyError, TypeError, ValueError):
        return [
            ConnectionCheck(False, what, "BAD_BODY", _("Salesforce's answer cannot be read; try again in a while."))
        ]


def _org(client: Client) -> list[ConnectionCheck]:
    [org] = client.get("query", q="SELECT Name, IsSandbox FROM Organization")["records"]
    kind = _("a sandbox") if org["IsSandbox"] else _("in production")
    return [ConnectionCheck(True, _("Org"), f"{org['Name']}, {kind}")]


def _version(client: Client, wanted: str) -> list[ConnectionCheck]:
    offered = [str(each["version"]) for each in client.get("/services/data/")]
    newest = max(offered, key=float, default="")
    advice = _("The org offers %(newest)s at most; it takes a release of this program that speaks it.")
    return [ConnectionCheck(wanted in offered, _("API version"), wanted, advice % {"newest": newest})]


def _limits(client: Client) -> list[ConnectionCheck]:
    calls = client.get("limits")["DailyApiRequests"]
    left, everything = int(calls["Remaining"]), int(calls["Max"])
    found = _("%(left)s of %(all)s are left today") % {"left": _number(left), "all": _number(everything)}
    return [ConnectionCheck(left > 0, _("API calls"), found, _("Wait, or buy more calls."))]


def _object(client: Client, sobject: Sobject, field: str, kept: list[str]) -> list[ConnectionCheck]:
    described = client.get(f"sobjects/{sobject.name}/describe")
    kept += [sobject.name] if _keeps_history(described) else []
    fields: dict[str, dict[str, Any]] = {each["name"]: each for each in described["fields"]}
    missing = [name for name in (*NEEDED, field) if name not in fields]
    writable = bool(fields.get(field, {}).get("updateable"))
    return [
        ConnectionCheck(
            not missing,
            _("%(object)s: fields") % {"object": sobject.name},
            ", ".join(missing) or field,
            _("Make the fields visible to the user of the app (field-level security)."),
        ),
        ConnectionCheck(
            writable,
            _("%(object)s: opt-out can be written") % {"object": sobject.name},
            field,
            _("Give the user of the app edit access to the object and to the field."),
        ),
    ]


def _sharing(client: Client, sobject: Sobject) -> list[ConnectionCheck]:
    """Compare the visible records with the org's approximate count: sharing rules hide rows without an error."""
    seen = client.get("query", q=fill("SELECT COUNT() FROM {sobject}", sobject=sobject.name))["totalSize"]
    counted = client.get("limits/recordCount", sObjects=sobject.name)["sObjects"]
    there = counted[0]["count"] if counted else seen
    found = _("%(seen)s of about %(there)s records can be seen") % {"seen": _number(seen), "there": _number(there)}
    advice = _("Give the user of the app View All on the object.")
    return [
        ConnectionCheck(
            seen >= HIDDEN_SHARE * there, _("%(object)s: sharing") % {"object": sobject.name}, found, advice
        )
    ]


def _number(number: int) -> str:
    return number_format(number, force_grouping=True)


def _changes(client: Client) -> list[ConnectionCheck]:
    """Check that getUpdated works: its `latestDateCovered` is the upper bound of each read."""
    now = client.time() or dt.datetime.now(dt.UTC)
    start, end = literal(now - 2 * MINUTE), literal(now + MINUTE)
    covered = client.get(f"sobjects/{SOBJECTS[0].name}/updated/", start=start, end=end)["latestDateCovered"]
    return [
        ConnectionCheck(
            True, _("List of changes"), _("known up to %(time)s") % {"time": moment(covered).isoformat(" ")}
        )
    ]


def _clock(client: Client) -> list[ConnectionCheck]:
    there = client.time()
    skew = there - timezone.now() if there else None
    if skew is None:
        return [ConnectionCheck(True, _("Clock"), _("Salesforce's answers tell no time"))]
    advice = _("Set the clock of this machine (NTP): a sign-in with a private key is refused when it is wrong.")
    return [ConnectionCheck(not clock.is_off(skew), _("Clock"), clock.words(skew, "Salesforce"), advice)]


def _careful(connection: SyncConnection) -> list[ConnectionCheck]:
    """Check that the org honours `If-Unmodified-Since`; see `conditional_writes`."""
    with Client(connection.api_version, patience=PATIENCE) as client:
        proven = conditional_writes.prove_on_any(client, connection)
    if proven is None:
        return [ConnectionCheck(True, _("Careful writing"), _("There is no record yet to try it on"))]
    found = (
        _("A record that has changed meanwhile is not written")
        if proven
        else _("Salesforce writes a record though it has changed meanwhile (If-Unmodified-Since is ignored)")
    )
    advice = _("Look for a proxy that removes headers. Until then no new consent is written to Salesforce.")
    return [ConnectionCheck(proven, _("Careful writing"), found, advice)]


def _keeps_history(described: dict[str, Any]) -> bool:
    return any(each["relationshipName"] == "Histories" for each in described.get("childRelationships", ()))


def _history(kept: list[str]) -> ConnectionCheck:
    """Report for which objects there is a field history; a missing one is no error."""
    known = _("kept for %(objects)s: who opted out and when is read from it") % {"objects": ", ".join(kept)}
    unknown = _("not kept: of an opt-out only who changed the record last, and when, can be told")
    return ConnectionCheck(True, _("Field history"), known if kept else unknown)


def _person_accounts(client: Client, connection: SyncConnection) -> list[ConnectionCheck]:
    fields, field = _fields_of_account(client), on_account(connection.opt_out_field)
    connection.person_accounts = IS_PERSON in fields
    if not connection.person_accounts:
        return [ConnectionCheck(True, _("Person accounts"), _("not in use"))]
    writable = bool(fields.get(field, {}).get("updateable"))
    advice = _("Give the user of the app edit access to Account and to its field %(field)s.") % {"field": field}
    return [
        ConnectionCheck(writable, _("Person accounts"), _("in use; their opt-outs are written on the account"), advice)
    ]


def _fields_of_account(client: Client) -> dict[str, dict[str, Any]]:
    """Return the fields of Account; none if our user may not see accounts."""
    try:
        described = client.get("sobjects/Account/describe")
    except ProviderError as error:
        if error.kind in (ErrorKind.TRANSIENT, ErrorKind.QUOTA, ErrorKind.AUTH):
            raise
        return {}
    return {each["name"]: each for each in described["fields"]}
