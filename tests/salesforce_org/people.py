"""What people do in Salesforce by hand: without field-level security, with a name, at any time, in a transaction."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.salesforce_org.ids import long_id, object_of
from tests.salesforce_org.records import Records, Writer
from tests.salesforce_org.store import Row
from tests.salesforce_org.transactions import Transactions
from tests.salesforce_org.values import to_store

JsonRow = Mapping[str, Any]
USERS = ("integration", "sally", "mark", "automated")
DOMAIN = "acme.example"


@dataclass(frozen=True)
class Deed:
    """Who does something, when (seconds), and in which open transaction."""

    who: Writer
    at: int
    transaction: str | None = None


class People:
    """The users of the org and what they do."""

    def __init__(self, records: Records, transactions: Transactions) -> None:
        self.records, self.transactions = records, transactions
        self.store = records.store
        first = Writer("")
        ids = [self.store.next_id("User") for _ in USERS]
        rows = [{"Username": f"{name}@{DOMAIN}", "Name": name.title(), "IsActive": 1} for name in USERS]
        records.create("User", ids, [row | {"UserType": "Standard"} for row in rows], first, records.clock.now())

    def user_id(self, name: str) -> str:
        """Return the id of a user given by id, username or the first part of it; raise ValueError for nobody."""
        rows = self.store.all(
            "SELECT Id FROM User WHERE Id = ? OR Username IN (?, ?)", [name, name, f"{name}@{DOMAIN}"]
        )
        if not rows:
            raise ValueError(f"no user {name}")
        return rows[0]["Id"]

    def create(self, name: str, rows: Sequence[JsonRow], deed: Deed) -> list[str]:
        """Create records; return their ids, which are given at once also where the records wait for a commit."""
        ids = [self.store.next_id(name) for _ in rows]
        values = [self._stored(name, row) for row in rows]
        self._do(lambda: self.records.create(name, ids, values, deed.who, deed.at), ids, deed)
        return ids

    def generate(self, name: str, count: int, template: JsonRow, deed: Deed, *, opted_out_every: int = 0) -> list[str]:
        """Create many records from texts in which {n} is the number; return the first and the last id."""
        first, *between = (self.store.next_id(name) for _ in range(count))
        ids = [first, *between]
        base = {"CreatedDate": deed.at, "LastModifiedDate": deed.at, "SystemModstamp": deed.at}
        base |= dict.fromkeys(("CreatedById", "LastModifiedById", "OwnerId"), deed.who.user_id)
        columns = ["Id", "HasOptedOutOfEmail", *base, *template]

        def rows() -> Iterator[list[Any]]:
            for number, record_id in enumerate(ids):
                opted_out = int(bool(opted_out_every) and number % opted_out_every == 0)
                yield [
                    record_id,
                    opted_out,
                    *base.values(),
                    *(str(text).format(n=number) for text in template.values()),
                ]

        self.store.insert(name, columns, rows())
        return [ids[0], ids[-1]]

    def edit(self, ids: Iterable[str], fields: JsonRow, deed: Deed) -> None:
        """Change records to the same values: one stamp for all."""
        for record_id in map(long_id, ids):
            name = object_of(record_id)
            values = self._stored(name, fields)

            def work(name: str = name, record_id: str = record_id, values: Row = values) -> None:
                self.records.change(name, record_id, values, deed.who, deed.at)

            self._do(work, [record_id], deed)

    def delete(self, ids: Iterable[str], deed: Deed, *, hard: bool = False) -> None:
        """Put records into the recycle bin, or delete them for good."""
        for record_id in map(long_id, ids):

            def work(record_id: str = record_id) -> None:
                if hard:
                    self.records.purge(record_id, deed.at)
                else:
                    self.records.delete(record_id, deed.who, deed.at)

            self._do(work, [record_id], deed)

    def undelete(self, ids: Iterable[str], deed: Deed) -> None:
        """Take records out of the recycle bin."""
        for record_id in map(long_id, ids):
            self.records.undelete(record_id, deed.who, deed.at)

    def merge(self, winner: str, losers: Iterable[str], fields: JsonRow, deed: Deed) -> None:
        """Merge up to two losers into a winner: they are deleted and point at it, it is touched and takes `fields`."""
        winner, losers = long_id(winner), [long_id(loser) for loser in losers]
        if not 1 <= len(losers) <= 2 or len({object_of(record_id) for record_id in (winner, *losers)}) > 1:
            raise ValueError("a merge takes one or two losers of the winner's object")
        values = self._stored(object_of(winner), fields)

        def work() -> None:
            for loser in losers:
                self.records.delete(loser, deed.who, deed.at, MasterRecordId=winner)
            self.records.change(object_of(winner), winner, values, deed.who, deed.at)

        self._do(work, [winner, *losers], deed)

    def convert(self, lead: str, contact: str | None, deed: Deed) -> str:
        """Convert a lead into a new contact (or an existing one) with an account; return the contact's id."""
        lead = long_id(lead)
        contact_id = long_id(contact) if contact else self.store.next_id("Contact")
        account_id = self.store.next_id("Account")

        def work() -> None:
            row = self.store.row("Lead", lead) or {}
            company = {"Name": row.get("Company") or row.get("LastName")}
            self.records.create("Account", [account_id], [company], deed.who, deed.at)
            if contact is None:
                kept = ("FirstName", "LastName", "Title", "Email", "Phone", "HasOptedOutOfEmail", "DoNotCall")
                values = {field: row.get(field) for field in kept} | {"AccountId": account_id}
                self.records.create("Contact", [contact_id], [values], deed.who, deed.at)
            outcome = {"IsConverted": 1, "ConvertedContactId": contact_id, "ConvertedAccountId": account_id}
            self.records.change("Lead", lead, outcome, deed.who, deed.at)

        self._do(work, [lead], deed)
        return contact_id

    def _stored(self, name: str, row: JsonRow) -> dict[str, Any]:
        fields = self.records.schema.objects[name]
        unknown = row.keys() - fields.keys()
        if unknown:
            raise ValueError(f"{name} has no {', '.join(sorted(unknown))}")
        return {key: to_store(name, fields[key], value) for key, value in row.items()}

    def _do(self, work: Any, ids: Iterable[str], deed: Deed) -> None:
        self.transactions.do(work, ids, deed.transaction)
