"""Starts an emulated org for a test and gives it orders."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Self
from urllib.error import HTTPError

ROOT = Path(__file__).resolve().parents[2]
SECONDS_TO_START, SECONDS_TO_STOP, SECONDS_TO_OBEY = 20, 5, 300
Json = dict[str, Any]


class Org:
    """A running org: `url` is what the product connects to, the methods are what people and fate do to it.

    Use it as a context manager, or call `stop`; it also stops by itself when the process that started it is gone.
    """

    def __init__(self, port: int = 0, control_port: int = 0) -> None:
        command = [sys.executable, "-m", "tests.salesforce_org", "--until-stdin-closes"]
        command += ["--port", str(port), "--control-port", str(control_port)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        line = self.process.stdout.readline()
        if not line:
            self.stop()
            raise RuntimeError("the emulated org did not start")
        self._take(json.loads(line))

    @classmethod
    def at(cls, ready: Json) -> Self:
        """Return a handle on an org that runs already, from the line that it printed."""
        org = cls.__new__(cls)
        org.process = None
        org._take(ready)
        return org

    def _take(self, ready: Json) -> None:
        self.url, self.control_url = ready["url"], ready["control"]
        self.client_id, self.client_secret = ready["client_id"], ready["client_secret"]
        self.username, self.organization_id = ready["username"], ready["organization_id"]

    def stop(self) -> None:
        """End the process, whatever it does."""
        if self.process is None:
            return
        self.process.stdin.close()
        self.process.terminate()
        try:
            self.process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def order(self, path: str, /, **body: Any) -> Any:
        """Give an order to the control port; raise RuntimeError with its words when it refuses."""
        request = urllib.request.Request(f"{self.control_url}/{path}", json.dumps(body).encode(), method="POST")  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=SECONDS_TO_OBEY) as response:  # noqa: S310
                return json.load(response)
        except HTTPError as error:
            raise RuntimeError(error.read().decode()) from None

    def reset(self) -> None:
        """Make it a fresh org."""
        self.order("reset")

    def state(self) -> Json:
        """Return address, time, counts, open transactions, faults and usage."""
        return self.order("state")

    # What people do. `deed` is by= (sally, mark, automated, integration), at= (ISO with zone), transaction=.

    def create(self, name: str, *records: Json, **deed: Any) -> list[str]:
        """Create records; return their ids."""
        return self.order("records/create", object=name, records=records, **deed)["ids"]

    def generate(
        self, name: str, count: int, *, opted_out_every: int = 0, fields: Json | None = None, **deed: Any
    ) -> Json:
        """Create many records from texts with {n}; return the first and the last id."""
        fields = fields or {"FirstName": "Person", "LastName": "Number {n}", "Email": "person{n}@example.com"}
        if name == "Lead":
            fields = {"Company": "Company {n}"} | fields
        return self.order(
            "records/generate", object=name, count=count, fields=fields, opted_out_every=opted_out_every, **deed
        )

    def edit(self, ids: str | Iterable[str], fields: Json, **deed: Any) -> None:
        """Set records to the same values, with one stamp."""
        self.order("records/edit", ids=_list(ids), fields=fields, **deed)

    def edit_where(self, name: str, where: str, fields: Json, **deed: Any) -> int:
        """Set all records that a SOQL condition finds to the same values; return how many."""
        return self.order("records/edit", object=name, where=where, fields=fields, **deed)["edited"]

    def opt_out(self, ids: str | Iterable[str], value: bool = True, **deed: Any) -> None:
        """Tick the box Email Opt Out, or clear it."""
        self.edit(ids, {"HasOptedOutOfEmail": value}, **deed)

    def delete(self, ids: str | Iterable[str], *, hard: bool = False, **deed: Any) -> None:
        """Put records into the recycle bin, or delete them for good."""
        self.order("records/delete", ids=_list(ids), hard=hard, **deed)

    def undelete(self, ids: str | Iterable[str], **deed: Any) -> None:
        """Take records out of the recycle bin."""
        self.order("records/undelete", ids=_list(ids), **deed)

    def merge(self, winner: str, *losers: str, fields: Json | None = None, **deed: Any) -> None:
        """Merge losers into a winner."""
        self.order("records/merge", winner=winner, losers=losers, fields=fields or {}, **deed)

    def convert(self, lead: str, contact: str | None = None, **deed: Any) -> str:
        """Convert a lead; return the contact's id."""
        return self.order("records/convert", lead=lead, contact=contact, **deed)["contact"]

    @contextmanager
    def transaction(self) -> Iterator[str]:
        """Open a transaction for `transaction=`; it is committed at the end, or rolled back by an exception."""
        name = self.begin()
        try:
            yield name
        except BaseException:
            self.rollback(name)
            raise
        self.commit(name)

    def begin(self) -> str:
        """Open a transaction; return its name."""
        return self.order("transactions/begin")["transaction"]

    def commit(self, transaction: str) -> None:
        """Let a transaction's work be seen."""
        self.order("transactions/commit", transaction=transaction)

    def rollback(self, transaction: str) -> None:
        """Forget a transaction's work."""
        self.order("transactions/rollback", transaction=transaction)

    # What fate does.

    def settings(self, **changes: Any) -> Json:
        """Change settings by name; return them all."""
        return self.order("settings", **changes)

    def fault(self, do: str, *, match: Json | None = None, **plan: Any) -> int:
        """Plan a fault: do is status, html, delay, drop_before, drop_after, reset, truncate or slow_drip."""
        return self.order("faults", do=do, match=match or {}, **plan)["fault"]

    def record_error(self, code: str, message: str = "refused", **plan: Any) -> None:
        """Plan an error of records: ids= or object=, times= (0 = always), fields=."""
        self.order("record-errors", code=code, message=message, **plan)

    def clear_faults(self) -> None:
        """Forget all planned faults and errors."""
        self.order("faults/clear")

    def access(self, **change: Any) -> None:
        """Change what the integration user may do: object=, field=, level= (none, read, edit), or api=."""
        self.order("access", **change)

    def hide(self, ids: str | Iterable[str], hidden: bool = True) -> None:
        """Hide rows from the integration user, as sharing does, or show them."""
        self.order("sharing", ids=_list(ids), hidden=hidden)

    def usage(self, used: int | None = None) -> Json:
        """Pretend that so many calls were made; return used and max."""
        return self.order("usage", **({} if used is None else {"used": used}))

    def clock(self, **change: Any) -> str:
        """Move the org's clock: offset= or advance= (seconds) or stand_at= (ISO with zone); return its time."""
        return self.order("clock", **change)["now"]

    def now(self) -> datetime:
        """Return the org's time."""
        return datetime.fromisoformat(self.clock())

    def app(self, **change: Any) -> Json:
        """Change the connected app: client_secret, run_as, public_key, approved, audiences."""
        return self.order("app", **change)

    def user(self, name: str, *, active: bool) -> None:
        """Activate or deactivate a user."""
        self.order("users", user=name, active=active)

    def user_ids(self) -> dict[str, str]:
        """Return the ids of the users by name."""
        return self.order("users")

    def add_field(self, name: str, field: str, kind: str = "boolean") -> None:
        """Add a custom field to an object."""
        self.order("fields", object=name, name=field, type=kind)

    def expire_tokens(self) -> int:
        """End all sessions; return how many."""
        return self.order("expire", tokens=True)["tokens"]

    def expire_locators(self) -> None:
        """End all query locators."""
        self.order("expire", locators=True)

    # What is there and what was asked.

    def records(self, soql: str) -> list[Json]:
        """Return what a query finds with everything in view, the recycle bin too."""
        return self.order("query", soql=soql)

    def record(self, record_id: str, fields: str = "HasOptedOutOfEmail, IsDeleted, SystemModstamp, OwnerId") -> Json:
        """Return fields of one record."""
        name = {"003": "Contact", "00Q": "Lead", "001": "Account"}[record_id[:3]]
        return self.records(f"SELECT Id, {fields} FROM {name} WHERE Id = '{record_id}'")[0]

    def opted_out(self, name: str = "Contact") -> set[str]:
        """Return the ids of the records with the box ticked, deleted ones left out."""
        soql = f"SELECT Id FROM {name} WHERE HasOptedOutOfEmail = TRUE AND IsDeleted = FALSE"
        return {row["Id"] for row in self.records(soql)}

    def journal(self, method: str = "", path: str = "", after: int = 0) -> list[Json]:
        """Return the requests of a method, with a regular expression found in path and query, after a number."""
        return self.order("journal", method=method, path=path, after=after)

    def clear_journal(self) -> None:
        """Forget the requests so far."""
        self.order("journal/clear")

    def api_calls(self) -> int:
        """Return how many calls the journal's requests cost."""
        return sum(entry["api_calls"] for entry in self.journal())


def _list(ids: str | Iterable[str]) -> list[str]:
    return [ids] if isinstance(ids, str) else list(ids)
