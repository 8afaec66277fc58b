"""Who opted somebody out in Salesforce, and when: from the history of the field, where Salesforce keeps one.

Without it only the record's last change is known: the opt-out is no later than that.
"""

from collections.abc import Sequence

from contacts.people.rules import salesforce_id
from salesconnect.lib.database.sql import fill
from unsubscribes.crm.models import SyncConnection
from unsubscribes.crm.provider_errors import ErrorKind, ProviderError
from unsubscribes.crm.salesforce.api.client import Client
from unsubscribes.crm.salesforce.mapping import moment, with_ids
from unsubscribes.crm.values import Attribution, CrmRecord

# So many ids fit into a query; more opt-outs at once are one mass change, told by the records themselves.
MOST = 400
# No reason to keep an opt-out waiting: what history cannot tell, the record does.
BEARABLE = (
    ErrorKind.SCHEMA, ErrorKind.BUG, ErrorKind.GONE, ErrorKind.PERMISSION, ErrorKind.SPLIT,
    ErrorKind.RESUME,
)  # fmt: skip
Told = dict[str, Attribution]

HISTORY = "SELECT {parent}, NewValue, CreatedDate, CreatedById FROM {sobject}History WHERE {where}"


def attributions(news: Sequence[CrmRecord], client: Client, connection: SyncConnection) -> Told:
    """Return what the history tells of these opt-outs, which are of one object; nothing where none is kept."""
    if news[0].sobject not in connection.history_of or len(news) > MOST:
        return {}
    try:
        return _history(news, client, connection.opt_out_field)
    except ProviderError as error:
        if error.kind not in BEARABLE:
            raise
        return {}


def _history(news: Sequence[CrmRecord], client: Client, field: str) -> Told:
    """Return what the history tells: the newest time that the box was ticked, and by whom."""
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
