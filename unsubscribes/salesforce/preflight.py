"""Test connection: what has to be right in the org, line by line, each with what to do about it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from unsubscribes.salesforce import auth
from unsubscribes.salesforce.client import Client
from unsubscribes.salesforce.mapping import SOBJECTS, Class, Sobject
from unsubscribes.salesforce.models import SyncConnection
from unsubscribes.salesforce.trouble import Trouble

PATIENCE = 10.0
HIDDEN_SHARE = 0.9
NEEDED = ("SystemModstamp", "LastModifiedById", "MasterRecordId")


@dataclass(frozen=True, slots=True)
class Line:
    """One check: whether it is well, what was looked at, what was found, and what to do when it is not well."""

    ok: bool
    what: str
    found: str
    advice: str = ""


def check(connection: SyncConnection) -> list[Line]:
    """Return the lines of the check; it reads only. When nobody can sign in, that is the one line there is."""
    try:
        auth.renewed(connection.token_generation)
    except Trouble as trouble:
        advice = _("Check login URL, consumer key and secret, and that the app has a user to run as.")
        return [Line(False, _("Sign-in"), f"{trouble.code} {trouble.message}".strip(), advice)]
    with Client(connection.api_version, patience=PATIENCE, read_only=True) as client:
        return [Line(True, _("Sign-in"), connection.login_url), *_lines(client, connection)]


def _lines(client: Client, connection: SyncConnection) -> Iterator[Line]:
    yield from _asked(_("API calls"), partial(_limits, client), _("Let the user of the app use the API."))
    for sobject in SOBJECTS:
        advice = _("Give the user of the app read access to the object, and View All.")
        yield from _asked(sobject.name, partial(_object, client, sobject, connection.opt_out_field), advice)
        yield from _asked(sobject.name, partial(_sharing, client, sobject), advice)
    yield from _asked(_("Person accounts"), partial(_person_accounts, client), "")


def _asked(what: str, ask: Callable[[], list[Line]], advice: str) -> list[Line]:
    try:
        return ask()
    except Trouble as trouble:
        return [Line(False, what, f"{trouble.code} {trouble.message}".strip(), advice)]


def _limits(client: Client) -> list[Line]:
    calls = client.get("limits")["DailyApiRequests"]
    found = _("%(left)d of %(all)d are left today") % {"left": calls["Remaining"], "all": calls["Max"]}
    return [Line(calls["Remaining"] > 0, _("API calls"), found, _("Wait, or buy more calls."))]


def _object(client: Client, sobject: Sobject, field: str) -> list[Line]:
    described = client.get(f"sobjects/{sobject.name}/describe")
    fields: dict[str, dict[str, Any]] = {each["name"]: each for each in described["fields"]}
    missing = [name for name in (*NEEDED, field) if name not in fields]
    writable = bool(fields.get(field, {}).get("updateable"))
    return [
        Line(
            not missing,
            _("%(object)s: fields") % {"object": sobject.name},
            ", ".join(missing) or field,
            _("Make the fields visible to the user of the app (field-level security)."),
        ),
        Line(
            writable,
            _("%(object)s: opt-out can be written") % {"object": sobject.name},
            field,
            _("Give the user of the app edit access to the object and to the field."),
        ),
    ]


def _sharing(client: Client, sobject: Sobject) -> list[Line]:
    """Compare what can be seen with the org's own, approximate count: sharing hides rows without a word."""
    seen = client.get("query", q=f"SELECT COUNT() FROM {sobject.name}")["totalSize"]
    counted = client.get("limits/recordCount", sObjects=sobject.name)["sObjects"]
    there = counted[0]["count"] if counted else seen
    found = _("%(seen)d of about %(there)d records can be seen") % {"seen": seen, "there": there}
    advice = _("Give the user of the app View All on the object.")
    return [Line(seen >= HIDDEN_SHARE * there, _("%(object)s: sharing") % {"object": sobject.name}, found, advice)]


def _person_accounts(client: Client) -> list[Line]:
    try:
        described = client.get("sobjects/Account/describe")
    except Trouble as trouble:
        if trouble.kind in (Class.TRANSIENT, Class.QUOTA):
            raise
        return []
    there = any(each["name"] == "IsPersonAccount" for each in described["fields"])
    advice = _("Person accounts are read; their opt-outs may have to be written on the account.")
    return [Line(not there, _("Person accounts"), _("in use") if there else _("not in use"), advice)]
