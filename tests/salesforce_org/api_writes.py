"""A write through the API to one record: every reason for which Salesforce refuses it, in its order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.salesforce_org.access import Access
from tests.salesforce_org.errors import ApiError, RecordError
from tests.salesforce_org.ids import MalformedIdError, long_id, object_of
from tests.salesforce_org.records import Records, Writer
from tests.salesforce_org.store import Row, Store
from tests.salesforce_org.transactions import Transactions
from tests.salesforce_org.values import to_store

NO_ACCESS = "insufficient access rights on object id"
NOT_WRITABLE = (
    "Unable to create/update fields: {}. Please check the security settings of this field and verify that it is "
    "read/write for your profile or permission set."
)


@dataclass
class PlannedError:
    """An error that a test wants a record to get: by object or id, `times` times (0 = always)."""

    code: str
    message: str
    fields: list[str] = field(default_factory=list)
    object: str | None = None
    ids: list[str] | None = None
    times: int = 0
    met: int = 0

    def meets(self, record_id: str) -> bool:
        """Whether this record gets it now."""
        wanted = (self.ids is None or record_id in self.ids) and self.object in {None, object_of(record_id)}
        if not wanted or (self.times and self.met >= self.times):
            return False
        self.met += 1
        return True


class ApiWrites:
    """Updates, creations and deletions by the integration user."""

    def __init__(self, store: Store, records: Records, access: Access, transactions: Transactions) -> None:
        self.store, self.records, self.access, self.transactions = store, records, access, transactions
        self.planned: list[PlannedError] = []

    def update(self, name: str, id_text: str, sent: Mapping[str, Any], who: Writer) -> str:
        """Change a record; return its id. Raise RecordError when it is refused, ApiError when the request is wrong."""
        values = self.parsed(name, sent)
        record_id = self.checked_id(name, id_text)
        row = self._row(name, record_id)
        for planned in self.planned:
            if planned.meets(record_id):
                raise RecordError(planned.code, planned.message, planned.fields)
        if row.get("IsConverted"):
            raise RecordError("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
        if name == "Contact" and row["IsPersonAccount"] and not self.access.settings.person_contacts_writable:
            raise RecordError("INSUFFICIENT_ACCESS_OR_READONLY", NO_ACCESS)
        self._check_required(name, values)
        self.records.change(name, record_id, values, who, self.records.clock.now())
        return record_id

    def create(self, name: str, sent: Mapping[str, Any], who: Writer) -> str:
        """Create a record; return its id."""
        if not self.access.may_edit(name):
            raise RecordError("INSUFFICIENT_ACCESS_OR_READONLY", NO_ACCESS)
        values = self.parsed(name, sent)
        missing = [known.name for known in self.access.schema.objects[name].values() if known.required]
        self._check_required(name, {field_name: values.get(field_name) for field_name in missing} | values)
        record_id = self.store.next_id(name)
        self.records.create(name, [record_id], [values], who, self.records.clock.now())
        return record_id

    def delete(self, name: str, id_text: str, who: Writer) -> str:
        """Put a record into the recycle bin; return its id."""
        record_id = self.checked_id(name, id_text)
        self._row(name, record_id)
        self.records.delete(record_id, who, self.records.clock.now())
        return record_id

    def checked_id(self, name: str, text: str) -> str:
        """Return the long form of an id of this object."""
        try:
            record_id = long_id(text)
            if object_of(record_id) == name:
                return record_id
        except MalformedIdError:
            pass
        raise RecordError("MALFORMED_ID", f"{name} ID: id value of incorrect type: {text}", ["Id"])

    def parsed(self, name: str, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values to store, by the right names of the fields."""
        visible, values, read_only = self.access.visible(name), {}, []
        for key, value in sent.items():
            known = visible.get(key.lower())
            if known is None:
                self._refuse_invisible(name, key)
            elif not self.access.may_write(name, known):
                read_only.append(known.name)
            else:
                values[known.name] = to_store(name, known, value)
        if read_only:
            raise RecordError("INVALID_FIELD_FOR_INSERT_UPDATE", NOT_WRITABLE.format(", ".join(read_only)), read_only)
        return values

    def _refuse_invisible(self, name: str, key: str) -> None:
        message = f"No such column '{key}' on sobject of type {name}"
        if self.access.settings.invisible_field_refuses == "record":
            raise RecordError("INVALID_FIELD", message, [key])
        raise ApiError(400, "INVALID_FIELD", message)

    def _row(self, name: str, record_id: str) -> Row:
        """Return the row to write to, or say why it cannot be written."""
        row = self.store.row(name, record_id)
        if row is None:
            raise RecordError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        if row["hidden"]:
            message = "insufficient access rights on cross-reference id"
            raise RecordError("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", message)
        if row["IsDeleted"]:
            raise RecordError("ENTITY_IS_DELETED", "entity is deleted")
        if not self.access.may_edit(name):
            raise RecordError("INSUFFICIENT_ACCESS_OR_READONLY", NO_ACCESS)
        if self.transactions.holds(record_id):
            raise RecordError("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")
        return row

    def _check_required(self, name: str, values: Mapping[str, Any]) -> None:
        fields = self.access.schema.objects[name]
        missing = [key for key, value in values.items() if value is None and fields[key].required]
        if missing:
            message = f"Required fields are missing: [{', '.join(missing)}]"
            raise RecordError("REQUIRED_FIELD_MISSING", message, missing)
