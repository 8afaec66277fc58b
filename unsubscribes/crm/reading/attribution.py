"""Who opted somebody out in Salesforce, and when: from the history of the field, where Salesforce keeps one.

Without it only the record's last change is known. The opt-out is no later than that, and the reason says so. A read
of everything tells nobody apart: what it finds may be years old.
"""

from collections.abc import Sequence

from contacts.people.rules import salesforce_id
from unsubscribes.crm.models import SyncConnection, SyncRecord
from unsubscribes.crm.reading.rules import Attribution, reason
from unsubscribes.crm.salesforce.client import Client
from unsubscribes.crm.salesforce.mapping import Class, Row, moment, with_ids
from unsubscribes.crm.trouble import Trouble

# So many ids fit into a query; more opt-outs at once are one mass change, told by the records themselves.
MOST = 400
# No reason to keep an opt-out waiting: what history cannot tell, the record does.
BEARABLE = (Class.SCHEMA, Class.BUG, Class.GONE, Class.PERMISSION, Class.SPLIT, Class.RESUME)
Told = dict[str, Attribution]


def reasons(rows: Sequence[Row], client: Client, connection: SyncConnection) -> dict[str, str]:
    """Return the reason of each opt-out that is new, by record. Asks Salesforce only where a history is kept."""
    news = _news(rows, connection.user_id)
    if not news:
        return {}
    told = _last_changes(news)
    if news[0].sobject in connection.history_of and len(news) <= MOST:
        try:
            told |= _history(news, client, connection.opt_out_field)
        except Trouble as trouble:
            if trouble.kind not in BEARABLE:
                raise
    return {sf_id: reason(each) for sf_id, each in told.items()}


def _news(rows: Sequence[Row], our_user: str) -> list[Row]:
    ticked = [row for row in rows if row.opted_out and row.modified_by != our_user]
    known = SyncRecord.objects.filter(sf_id__in=[row.sf_id for row in ticked], opted_out=True)
    old = set(known.values_list("sf_id", flat=True))
    return [row for row in ticked if row.sf_id not in old]


def _last_changes(news: Sequence[Row]) -> Told:
    return {row.sf_id: Attribution(row.modified_by, row.stamp, exact=False) for row in news}


def _history(news: Sequence[Row], client: Client, field: str) -> Told:
    """Return what the history tells: the newest time that the box was ticked, and by whom."""
    parent = f"{news[0].sobject}Id"
    ids = ", ".join(f"'{row.sf_id}'" for row in news)
    where = f"Field = '{field}' AND {parent} IN ({ids}) ORDER BY CreatedDate"
    soql = f"SELECT {parent}, NewValue, CreatedDate, CreatedById FROM {news[0].sobject}History WHERE {where}"
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
