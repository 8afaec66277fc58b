"""A CRM that is a file of JSON: the second provider, which shows what a new one takes.

`Cabinet` is the file with what people do to it; `FileProvider` is how the sync talks to it.
"""

import datetime as dt
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from contacts.people.rules import normalise_address
from salesconnect.lib.encryption import decrypt_or_empty
from unsubscribes.crm.flight import FlightRecorder
from unsubscribes.crm.models import SyncConnection, SyncRecord
from unsubscribes.crm.provider import CrmSession, Provider
from unsubscribes.crm.provider_errors import ErrorKind, ProviderError
from unsubscribes.crm.setup import Kind, Setup, SetupField
from unsubscribes.crm.values import (
    ConnectionCheck,
    CrmRecord,
    Explanation,
    ReadPosition,
    RecordPage,
    WriteLimits,
    WriteResult,
    WriteTarget,
)

PERSON, BOX = "Person", "no_mail"
KEY = "the key of the cabinet"
US, CLERK, ROBOT = "sync", "clerk", "robot"
PAGE = 2


class Cabinet:
    """The file. Every change moves the stamp of a record; a merged record names its successor."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def found(self) -> None:
        """Make an empty one."""
        self._write({"key": KEY, "records": {}, "refusals": {}, "failures": []})

    def read(self) -> dict[str, Any]:
        """Return what is in it."""
        return json.loads(self.path.read_text())

    def _write(self, content: dict[str, Any]) -> None:
        self.path.write_text(json.dumps(content))

    def create(self, address: str) -> str:
        """File a person."""
        content = self.read()
        sf_id = f"P{len(content['records']) + 1:05}"
        content["records"][sf_id] = {"address": address, BOX: False, "deleted": False, "successor": ""}
        self._write(content)
        self.change(sf_id, CLERK)
        return sf_id

    def change(self, sf_id: str, by: str, **values: object) -> None:
        """Change a record."""
        content = self.read()
        content["records"][sf_id] |= values | {"by": by, "stamp": dt.datetime.now(dt.UTC).isoformat()}
        self._write(content)

    def set(self, **values: object) -> None:
        """Change the key, the refusals by record, or the failures that the next calls meet."""
        self._write(self.read() | values)

    def fails(self) -> str:
        """Return the failure that this call meets; each happens once."""
        content = self.read()
        failure, *rest = content["failures"] or [""]
        self._write(content | {"failures": rest})
        return failure


class FileSession(CrmSession):
    """Reads and writes the file. Each act on it is a call, and may fail."""

    def __init__(
        self, provider: "FileProvider", connection: SyncConnection, alive: Callable[[], object], *, read_only: bool
    ) -> None:
        self.provider, self.connection = provider, connection
        self.alive, self.read_only = alive, read_only
        self.cabinet, self.flight = Cabinet(Path(connection.login_url)), FlightRecorder()

    def close(self) -> None:
        """Nothing is open."""

    def time(self) -> dt.datetime | None:
        """Return the time of this machine."""
        return dt.datetime.now(dt.UTC)

    def wait(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
        self.alive()

    def look_around(self) -> None:
        """There is nothing to find out."""

    def _call(self) -> dict[str, Any]:
        self.alive()
        self.calls += 1
        self.now = dt.datetime.now(dt.UTC)
        with self.flight.call("OPEN", "records") as call:
            records = self._opened()
            call["status"] = "ok"
        return records

    def _opened(self) -> dict[str, Any]:
        content = self.cabinet.read()
        if content["key"] != decrypt_or_empty(self.connection.secret):
            raise ProviderError(ErrorKind.AUTH, "WRONG_KEY")
        if self.cabinet.fails() == "down":
            raise ProviderError(ErrorKind.TRANSIENT, "CABINET_LOCKED")
        return content["records"]

    def changes(self, positions: Sequence[ReadPosition]) -> dict[str, Iterator[RecordPage]]:
        """Read by stamp and id."""
        return {each.sobject: self._since(each) for each in positions}

    def _since(self, position: ReadPosition) -> Iterator[RecordPage]:
        upper = position.upper if position.after and position.upper else self.covered(position)
        after = position.after or (position.watermark, "")
        rows = sorted(self._rows(), key=lambda row: (row.stamp, row.sf_id))
        yield from _pages([row for row in rows if (row.stamp, row.sf_id) > after], upper)

    def covered(self, position: ReadPosition) -> dt.datetime:
        """Everything is in the file at once."""
        self._call()
        return dt.datetime.now(dt.UTC)

    def everything(self, sobject: str, after: str) -> Iterator[RecordPage]:
        """Read by id."""
        yield from _pages([row for row in self._rows() if row.sf_id > after], None)

    def record(self, record: SyncRecord) -> CrmRecord | None:
        """Read one record."""
        return next((row for row in self._rows() if row.sf_id == record.sf_id), None)

    def whereabouts(self, ids: Sequence[str]) -> list[CrmRecord]:
        """Follow the successors."""
        rows, wanted, found = {row.sf_id: row for row in self._rows()}, list(ids), dict[str, CrmRecord]()
        while wanted:
            sf_id = wanted.pop()
            if sf_id in rows and sf_id not in found:
                found[sf_id] = rows[sf_id]
                wanted += [rows[sf_id].successor_id] if rows[sf_id].successor_id else []
        return list(found.values())

    def deleted(self, records: Sequence[SyncRecord]) -> set[str]:
        """Nothing is hidden: what is not there is gone."""
        return {record.sf_id for record in records} - {row.sf_id for row in self._rows()}

    def target(self, record: SyncRecord | CrmRecord) -> WriteTarget:
        """Return the record itself."""
        return WriteTarget(record.sobject, record.sf_id, BOX)

    def opt_out(self, targets: Sequence[WriteTarget]) -> list[WriteResult]:
        """Tick the boxes; the failure "lost" happens when all is done."""
        self._call()
        results = [self._tick(each.sf_id) for each in targets]
        if self.cabinet.fails() == "lost":
            raise ProviderError(ErrorKind.TRANSIENT, "ANSWER_LOST")
        return results

    def _tick(self, sf_id: str) -> WriteResult:
        assert not self.read_only
        content = self.cabinet.read()
        if refusal := content["refusals"].get(sf_id):
            return WriteResult(refusal, "The clerk will not have it.")
        record = content["records"].get(sf_id)
        if record is None or record["deleted"] or record["successor"]:
            return WriteResult("NOT_FILED", "There is no such record.")
        self.cabinet.change(sf_id, US, **{BOX: True})
        return WriteResult()

    def clear(self, found: CrmRecord) -> bool:
        """Clear the box of a record that has not changed since it was read."""
        assert not self.read_only
        if _row(found.sf_id, self._call()[found.sf_id]).stamp != found.stamp:
            raise ProviderError(ErrorKind.MOVED_ON, "CHANGED_MEANWHILE")
        self.cabinet.change(found.sf_id, US, **{BOX: False})
        return True

    def _rows(self) -> list[CrmRecord]:
        return [_row(sf_id, found) for sf_id, found in sorted(self._call().items())]


def _row(sf_id: str, found: Mapping[str, Any]) -> CrmRecord:
    return CrmRecord(
        sf_id=sf_id,
        sobject=PERSON,
        email_key=normalise_address(found["address"]) if found["address"] else "",
        opted_out=found[BOX],
        stamp=dt.datetime.fromisoformat(found["stamp"]),
        modified_by=found["by"],
        deleted=found["deleted"],
        successor_id=found["successor"],
        account_id="",
        person_account=False,
        details={"email": found["address"]},
        successor_sobject=PERSON,
    )


def _pages(rows: Sequence[CrmRecord], upper: dt.datetime | None) -> Iterator[RecordPage]:
    parts = [rows[start : start + PAGE] for start in range(0, len(rows), PAGE)] or [()]
    yield from (RecordPage(part, number == len(parts), upper) for number, part in enumerate(parts, 1))


class CabinetSetup(Setup):
    """Where it stands, and its key."""

    fields = (
        SetupField("login_url", "Where the cabinet stands", "The path of the file."),
        SetupField("secret", "Key", kind=Kind.SECRET),
    )
    steps = ("Take the key from the clerk.",)


class FileProvider(Provider):
    """The cabinet as a CRM."""

    key = "file"
    name = "Cabinet"
    sobjects = (PERSON,)
    setup = CabinetSetup()
    limits = WriteLimits(batch=3)

    def open(
        self,
        connection: SyncConnection,
        *,
        alive: Callable[[], object] = lambda: None,
        patience: float = 120.0,
        read_only: bool = False,
    ) -> FileSession:
        """Open the file; who writes there is always the same."""
        SyncConnection.objects.update(user_id=US)
        connection.user_id = US
        return FileSession(self, connection, alive, read_only=read_only)

    def check(self, connection: SyncConnection) -> list[ConnectionCheck]:
        """Look whether there is a file."""
        there = Path(connection.login_url).exists()
        return [ConnectionCheck(there, "File", connection.login_url, "Make one.")]

    def classify(self, code: str, message: str) -> ErrorKind:
        """Return what a refusal means."""
        kinds = {"LOCKED_DRAWER": ErrorKind.TRANSIENT, "HOUSE_RULE": ErrorKind.RULE, "NOT_FILED": ErrorKind.GONE}
        return kinds.get(code, ErrorKind.UNKNOWN)

    def environment(self) -> dict[str, str] | None:
        """Return where CABINET says that the file is."""
        path = os.environ.get("CABINET")
        return {"login_url": path, "client_id": "us"} if path else None

    def environment_secret(self) -> str:
        """There is one key."""
        return KEY

    def words(self) -> Mapping[str, Explanation]:
        """Return the words of the codes."""
        return {
            "HOUSE_RULE": ("A rule of the house refuses the record", "Talk to the clerk, then press Retry."),
            "WRONG_KEY": ("The key does not fit", "Give the new key."),
        }
