"""Every change of a record: stamps, history, flows, assignment and deletions, whoever makes it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.salesforce_org.clock import Clock
from tests.salesforce_org.ids import object_of
from tests.salesforce_org.schema import HISTORY_OF, Schema
from tests.salesforce_org.settings import Settings
from tests.salesforce_org.store import Row, Store


@dataclass(frozen=True)
class Writer:
    """Who writes, and how: through the API, with assignment rules or without."""

    user_id: str
    through_api: bool = False
    auto_assign: bool = False


class Records:
    """Changes rows as Salesforce does when a write was allowed."""

    def __init__(self, store: Store, schema: Schema, clock: Clock, settings: Settings) -> None:
        self.store, self.schema, self.clock, self.settings = store, schema, clock, settings

    def create(self, name: str, ids: Iterable[str], rows: Iterable[Mapping[str, Any]], who: Writer, at: int) -> None:
        """Create records with stored values; nothing of it goes into the history."""
        stamps = {"CreatedDate": at, "CreatedById": who.user_id, "OwnerId": who.user_id, **self._stamps(who, at)}
        if "OwnerId" not in self.schema.objects[name]:
            del stamps["OwnerId"]
        for record_id, row in zip(ids, rows, strict=True):
            values = {"Id": record_id, **stamps, **row}
            self.store.insert(name, list(values), [list(values.values())])

    def change(self, name: str, record_id: str, values: Mapping[str, Any], who: Writer, at: int) -> None:
        """Change a record, with what the org's automation makes of it."""
        row = self.store.row(name, record_id)
        if row is None:
            return
        values = {**values, **self._assigned(name, who)}
        values |= self.flow(name, row, values, who)
        if not self.settings.touch_unchanged and all(row[field] == value for field, value in values.items()):
            return
        self._note_history(name, row, values, who, at)
        self.store.update(name, record_id, {**values, **self._stamps(who, at)})
        self._mirror_person(name, row, values, who, at)

    def flow(self, name: str, row: Row, values: Mapping[str, Any], who: Writer) -> dict[str, Any]:
        """Return what flows set when a field becomes a value.

        A flow is `{"object", "field", "becomes", "set": {field: value}}` and optionally `"ids"` (only these records)
        and `"api_only"`. It runs in the same save, so the record is stamped once.
        """
        result: dict[str, Any] = {}
        for flow in self.settings.flows:
            field, becomes = flow["field"], flow["becomes"]
            applies = flow["object"] == name and (who.through_api or not flow.get("api_only"))
            if applies and values.get(field) == becomes and row["Id"] in flow.get("ids", [row["Id"]]):
                result |= flow["set"]
        return result

    def delete(self, record_id: str, who: Writer, at: int, **values: Any) -> None:
        """Put a record into the recycle bin."""
        name = object_of(record_id)
        self.store.update(name, record_id, {"IsDeleted": 1, **values, **self._stamps(who, at)})
        self.store.note_deletion(name, record_id, at)

    def undelete(self, record_id: str, who: Writer, at: int) -> None:
        """Take a record out of the recycle bin."""
        self.store.update(
            object_of(record_id), record_id, {"IsDeleted": 0, "MasterRecordId": None, **self._stamps(who, at)}
        )
        self.store.forget_deletion(record_id)

    def purge(self, record_id: str, at: int) -> None:
        """Delete a record for good: only `deleted` still knows of it."""
        name = object_of(record_id)
        row = self.store.row(name, record_id)
        self.store.remove(name, record_id)
        if row and not row["IsDeleted"]:
            self.store.note_deletion(name, record_id, at)

    def _stamps(self, who: Writer, at: int) -> dict[str, Any]:
        return {"LastModifiedDate": at, "LastModifiedById": who.user_id, "SystemModstamp": at}

    def _assigned(self, name: str, who: Writer) -> dict[str, Any]:
        owner = self.settings.assignment_owner.get(name)
        return {"OwnerId": owner} if owner and who.auto_assign else {}

    def _note_history(self, name: str, row: Row, values: Mapping[str, Any], who: Writer, at: int) -> None:
        for field in self.settings.history.get(name, []):
            if field in values and values[field] != row[field]:
                history, parent = HISTORY_OF[name]
                old, new = (self._history_value(name, field, value) for value in (row[field], values[field]))
                entry = {"Id": self.store.next_id(history), parent: row["Id"], "Field": field, "OldValue": old}
                entry |= {"NewValue": new, "CreatedDate": at, "CreatedById": who.user_id, **self._stamps(who, at)}
                self.store.insert(history, list(entry), [list(entry.values())])

    def _history_value(self, name: str, field: str, value: Any) -> str | None:
        if self.schema.objects[name][field].type == "boolean":
            value = bool(value)
        return None if value is None else json.dumps(value)

    def _mirror_person(self, name: str, row: Row, values: Mapping[str, Any], who: Writer, at: int) -> None:
        """Keep the account and the contact of one person alike: both move."""
        if not self.settings.person_accounts or not row.get("IsPersonAccount"):
            return
        if name == "Account" and "PersonHasOptedOutOfEmail" in values:
            twin, field, value = "Contact", "HasOptedOutOfEmail", values["PersonHasOptedOutOfEmail"]
            twin_id = row["PersonContactId"]
        elif name == "Contact" and "HasOptedOutOfEmail" in values:
            twin, field, value = "Account", "PersonHasOptedOutOfEmail", values["HasOptedOutOfEmail"]
            twin_id = row["AccountId"]
        else:
            return
        self.store.update(twin, twin_id, {field: value, **self._stamps(who, at)})
