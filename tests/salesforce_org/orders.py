"""The orders of the control port: each takes the JSON of a request and returns JSON."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from tests.salesforce_org import clock
from tests.salesforce_org.api_writes import PlannedError
from tests.salesforce_org.bulk import IngestJob
from tests.salesforce_org.ids import long_id, object_of
from tests.salesforce_org.org import SalesforceOrg
from tests.salesforce_org.people import Deed
from tests.salesforce_org.records import Writer
from tests.salesforce_org.schema import Field, parse_field
from tests.salesforce_org.soql.parser import parse
from tests.salesforce_org.soql.sql import compile_query
from tests.salesforce_org.values import to_json

Json = dict[str, Any]
Order = Callable[[SalesforceOrg, Json], Any]


class Everything:
    """What a query of the control port may name: all there is."""

    def __init__(self, org: SalesforceOrg) -> None:
        self.org = org

    def object_named(self, text: str) -> str | None:
        """Return the object."""
        return text if text in self.org.schema.objects else None

    def visible(self, name: str) -> dict[str, Field]:
        """Return all fields."""
        return {key.lower(): field for key, field in self.org.schema.objects[name].items()}


def deed(org: SalesforceOrg, body: Json) -> Deed:
    """Return who (`by`, sally by default), when (`at`, now by default) and in which `transaction`."""
    at = clock.parse(body["at"]) if body.get("at") else org.clock.now()
    transaction = body.get("transaction")
    if transaction is not None and transaction not in org.transactions.open:
        raise ValueError(f"{transaction} is not open")
    return Deed(Writer(org.people.user_id(body.get("by", "sally"))), at, transaction)


def create(org: SalesforceOrg, body: Json) -> Json:
    """`object`, `records`: create them."""
    return {"ids": org.people.create(body["object"], body["records"], deed(org, body))}


def generate(org: SalesforceOrg, body: Json) -> Json:
    """`object`, `count`, `fields` (texts with {n}), `opted_out_every`: create many."""
    every = body.get("opted_out_every", 0)
    first, last = org.people.generate(
        body["object"], body["count"], body["fields"], deed(org, body), opted_out_every=every
    )
    return {"first": first, "last": last}


def edit(org: SalesforceOrg, body: Json) -> Json:
    """`ids` or `where` (SOQL, with `object`), `fields`: set them all to the same values."""
    ids = body.get("ids")
    if ids is None:
        ids = [row["Id"] for row in _rows(org, f"SELECT Id FROM {body['object']} WHERE {body['where']}")]
    org.people.edit(ids, body["fields"], deed(org, body))
    return {"edited": len(ids)}


def delete(org: SalesforceOrg, body: Json) -> Json:
    """`ids`, `hard`: delete records, for good when hard."""
    org.people.delete(body["ids"], deed(org, body), hard=body.get("hard", False))
    return {}


def undelete(org: SalesforceOrg, body: Json) -> Json:
    """`ids`: take records out of the recycle bin."""
    org.people.undelete(body["ids"], deed(org, body))
    return {}


def merge(org: SalesforceOrg, body: Json) -> Json:
    """`winner`, `losers`, `fields` (what the winner takes)."""
    org.people.merge(body["winner"], body["losers"], body.get("fields", {}), deed(org, body))
    return {}


def convert(org: SalesforceOrg, body: Json) -> Json:
    """`lead`, `contact` (an existing one): convert a lead."""
    return {"contact": org.people.convert(body["lead"], body.get("contact"), deed(org, body))}


def begin(org: SalesforceOrg, body: Json) -> Json:
    """Open a transaction."""
    return {"transaction": org.transactions.begin()}


def commit(org: SalesforceOrg, body: Json) -> Json:
    """`transaction`: let its work be seen."""
    org.transactions.finish(body["transaction"], commit=True)
    return {}


def rollback(org: SalesforceOrg, body: Json) -> Json:
    """`transaction`: forget its work."""
    org.transactions.finish(body["transaction"], commit=False)
    return {}


def set_clock(org: SalesforceOrg, body: Json) -> Json:
    """`offset` (seconds from real time), `advance` (seconds) or `stand_at` (a time)."""
    org.clock.set(**body)
    return {"now": clock.text(org.clock.now())}


def settings(org: SalesforceOrg, body: Json) -> Json:
    """Any of the settings by name; an empty body reads them."""
    org.settings.change(body)
    org.store.update("Organization", org.organization_id, {"IsSandbox": int(org.settings.sandbox)})
    return asdict(org.settings)


def usage(org: SalesforceOrg, body: Json) -> Json:
    """`used`: pretend that so many calls were made."""
    if "used" in body:
        org.usage.set(body["used"])
    return {"used": org.usage.used, "max": org.settings.daily_limit}


def access(org: SalesforceOrg, body: Json) -> Json:
    """`object`, `field`, `level` (none, read, edit): field-level security, or without `field` the object; `api`."""
    org.access.api_enabled = body.get("api", org.access.api_enabled)
    if "object" in body:
        org.access.set(body["object"], body.get("field"), body["level"])
    return {}


def sharing(org: SalesforceOrg, body: Json) -> Json:
    """`ids`, `hidden`: hide rows from the integration user, or show them again."""
    for record_id in map(long_id, body["ids"]):
        org.store.update(object_of(record_id), record_id, {"hidden": int(body["hidden"])})
    return {}


def add_field(org: SalesforceOrg, body: Json) -> Json:
    """`object`, `name` (…__c), `type`: add a custom field."""
    field = parse_field(f"{body['name']} {body.get('type', 'boolean')} rw")
    org.schema.add(body["object"], field)
    org.store.add_field(body["object"], field)
    org.access.forget()
    return {}


def add_fault(org: SalesforceOrg, body: Json) -> Json:
    """Add a fault plan."""
    return {"fault": org.faults.add(body)}


def clear_faults(org: SalesforceOrg, body: Json) -> Json:
    """Forget all fault plans and planned errors of records."""
    org.faults.plans.clear()
    org.writes.planned.clear()
    return {}


def record_errors(org: SalesforceOrg, body: Json) -> Json:
    """`code`, `message`, `fields`, `object` or `ids`, `times` (0 = always): errors that records get when written."""
    org.writes.planned.append(PlannedError(**body))
    return {}


def app(org: SalesforceOrg, body: Json) -> Json:
    """`client_id client_secret run_as` (a user or null) `public_key` (PEM) `approved` (usernames) `audiences`."""
    known = asdict(org.sessions.app)
    if body.keys() - known.keys():
        raise ValueError(f"an app has {', '.join(known)}")
    for name, value in body.items():
        setattr(org.sessions.app, name, org.people.user_id(value) if name == "run_as" and value else value)
    return asdict(org.sessions.app)


def users(org: SalesforceOrg, body: Json) -> Json:
    """`user`, `active`: change a user; the answer has the ids of all by the first part of their names."""
    if "user" in body:
        user_id = org.people.user_id(body["user"])
        org.store.update("User", user_id, {"IsActive": int(body["active"])})
        if not body["active"]:
            org.sessions.end_of(user_id)
    rows = org.store.all("SELECT Id, Username FROM User")
    return {row["Username"].split("@")[0]: row["Id"] for row in rows}


def expire(org: SalesforceOrg, body: Json) -> Json:
    """`tokens`, `locators`: end all of them."""
    ended = org.sessions.end() if body.get("tokens") else 0
    if body.get("locators"):
        org.locators.expire()
    return {"tokens": ended}


def query(org: SalesforceOrg, body: Json) -> list[Json]:
    """`soql`: read records with everything in view, the recycle bin too."""
    return _rows(org, body["soql"])


def _rows(org: SalesforceOrg, soql: str) -> list[Json]:
    selection = compile_query(parse(soql), Everything(org), deleted=True, hidden=True)
    fields = selection.fields or []
    columns = ", ".join(field.name for field in fields)
    numbers = [row[0] for row in org.store.all(selection.sql, selection.values)]
    rows = {
        row["number"]: {field.name: to_json(field, row[field.name]) for field in fields}
        for first in range(0, len(numbers), 10_000)
        for row in _some(org, selection.object, columns, numbers[first : first + 10_000])
    }
    return [rows[number] for number in numbers]


def _some(org: SalesforceOrg, name: str, columns: str, numbers: list[int]) -> list[Any]:
    marks = ", ".join("?" * len(numbers))
    return org.store.all(f"SELECT number, {columns} FROM {name} WHERE number IN ({marks})", numbers)


def journal(org: SalesforceOrg, body: Json) -> list[Json]:
    """`method`, `path` (regular expression), `after` (number): what was asked of the org."""
    return org.journal.find(**body)


def clear_journal(org: SalesforceOrg, body: Json) -> Json:
    """Forget what was asked."""
    org.journal.clear()
    return {}


def state(org: SalesforceOrg, body: Json) -> Json:
    """Return the org's address, time, numbers, open transactions, fault plans and states of jobs."""
    return {
        "url": org.url,
        "organization_id": org.organization_id,
        "now": clock.text(org.clock.now()),
        "counts": {name: org.store.count(name) for name in org.schema.objects},
        "transactions": list(org.transactions.open),
        "faults": org.faults.as_json(),
        "usage": {"used": org.usage.used, "max": org.settings.daily_limit},
        "jobs": [job.state for job in org.jobs.values() if isinstance(job, IngestJob)],
    }


def reset(org: SalesforceOrg, body: Json) -> Json:
    """Make it a fresh org."""
    org.reset()
    return {}
