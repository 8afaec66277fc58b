"""Reads from the field history who opted somebody out in Salesforce, and when.

Without a field history only the last change of the record is known; the opt-out happened then or before.
"""

from collections.abc import Sequence

from contacts.people.rules import salesforce_id
from salesconnect.lib.database.sql import fill
from unsubscribes.crm.models import SyncConnection
from unsubscribes.crm.provider_errors import ErrorKind, ProviderError
from unsubscribes.crm.salesforce.api.client import Client
from unsubscribes.crm.salesforce.mapping import moment, with_ids
from unsubscribes.crm.values import Attribution, CrmRecord

# As many ids as fit into one query. More opt-outs at once are a mass change, for which the record's own stamp will do.
MOST = 400
# Errors after which the attribution falls back to the record itself, rather than delay the opt-out.
BEARABLE = (
    ErrorKind.SCHEMA, ErrorKind.BUG, ErrorKind.GONE, ErrorKind.PERMISSION, ErrorKind.SPLIT,
    ErrorKind.RESUME,
)  # fmt: skip
Told = dict[str, Attribution]

HISTORY = "SELECT {parent}, NewValue, CreatedDate, CreatedById FROM {sobject}History WHERE {where}"


def attributions(news: Sequence[CrmRecord], client: Client, connection: SyncConnection) -> Told:
    """Return the attributions of these opt-outs, all of one object, as far as its history has them."""
    if news[0].sobject not in connection.history_of or len(news) > MOST:
        return {}
    try:
        return _history(news, client, connection.opt_out_field)
    except ProviderError as error:
        if error.kind not in BEARABLE:
            raise
        return {}


def _history(news: Sequence[CrmRecord], client: Client, field: str) -> Told:
    """Return when the box was last ticked, and by whom."""
    parent = f"{news[0].sobject}Id"
    ids = ", ".join(f"'{row.sf_id}'" for row in news)
    where = f"Field = '{field}' AND {parent} IN ({ids}) ORDER BY CreatedDate"
    soql = fill(HISTORY, parent=parent, sobject=news[0].sobject, where=where)
    told: Told = {}
    try:
        for page in client.pages(client.get("query", q=soql)):
            for entry in page.records:
                if str(entry["NewValue"]).lower() == "true":
                    at = moment(entry["CreatedDate"])
                    told[salesforce_id(entry[parent])] = Attribution(entry["CreatedById"], at, exact=True)
        names = _names({each.who for each in told.values()}, client)
    except (KeyError, TypeError, ValueError):
        return {}
    return {sf_id: each._replace(who=names.get(each.who, each.who)) for sf_id, each in told.items()}


def _names(users: set[str], client: Client) -> dict[str, str]:
    if not users:
        return {}
    found = client.pages(client.get("query", q=with_ids("SELECT Id, Name FROM User", sorted(users))))
    return {user["Id"]: user["Name"] for page in found for user in page.records}
