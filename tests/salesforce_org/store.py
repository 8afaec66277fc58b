"""The org's records in an in-memory database: one table an object, times as seconds, every table with a hidden flag."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from tests.salesforce_org.ids import PREFIXES, make_id
from tests.salesforce_org.schema import HISTORY_OF, Field, Schema

Row = dict[str, Any]
INDEXES = {
    "Contact": [("SystemModstamp", "Id"), ("Email",)],
    "Lead": [("SystemModstamp", "Id"), ("Email",)],
    "ContactHistory": [("ContactId",)],
    "LeadHistory": [("LeadId",)],
}


class Store:
    """Rows by object and id. Values are those of the database: 0 and 1, seconds, text."""

    def __init__(self, schema: Schema) -> None:
        self.db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self.db.row_factory = sqlite3.Row
        self.schema = schema
        for name, fields in schema.objects.items():
            columns = ", ".join(self._column(field) for field in fields.values())
            self.db.execute(f"CREATE TABLE {name} (number INTEGER PRIMARY KEY, hidden INTEGER DEFAULT 0, {columns})")
            self.db.execute(f"CREATE UNIQUE INDEX {name}_id ON {name} (Id)")
            for place, keys in enumerate(INDEXES.get(name, [])):
                self.db.execute(f"CREATE INDEX {name}_{place} ON {name} ({', '.join(keys)})")
        self.db.execute("CREATE TABLE deletions (object TEXT, id TEXT PRIMARY KEY, at INTEGER)")
        self._numbers = dict.fromkeys(PREFIXES, 0)

    @staticmethod
    def _column(field: Field) -> str:
        if field.compound_name:
            full = "trim(coalesce(FirstName, '') || ' ' || coalesce(LastName, ''))"
            return f"Name TEXT COLLATE NOCASE GENERATED ALWAYS AS ({full}) VIRTUAL"
        return f"{field.name} {field.column_type}"

    def add_field(self, name: str, field: Field) -> None:
        """Add a column for a custom field."""
        self.db.execute(f"ALTER TABLE {name} ADD COLUMN {field.name} {field.column_type}")

    def next_id(self, name: str) -> str:
        """Return the id of the next new record of an object."""
        self._numbers[name] += 1
        return make_id(PREFIXES[name], self._numbers[name])

    def insert(self, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Put rows in, all or none."""
        marks = ", ".join("?" * len(columns))
        with self.savepoint():
            self.db.executemany(f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})", rows)

    def update(self, name: str, record_id: str, values: Mapping[str, Any]) -> None:
        """Change columns of one row."""
        sets = ", ".join(f"{column} = ?" for column in values)
        self.db.execute(f"UPDATE {name} SET {sets} WHERE Id = ?", [*values.values(), record_id])

    def row(self, name: str, record_id: str) -> Row | None:
        """Return a row with all its columns, or None."""
        found = self.db.execute(f"SELECT * FROM {name} WHERE Id = ?", [record_id]).fetchone()
        return dict(found) if found else None

    def all(self, sql: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """Return what a SELECT finds."""
        return self.db.execute(sql, values).fetchall()

    def count(self, name: str) -> int:
        """Return how many records an object has, without regard to sharing."""
        return self.db.execute(f"SELECT count(*) FROM {name} WHERE NOT IsDeleted").fetchone()[0]

    def note_deletion(self, name: str, record_id: str, at: int) -> None:
        """Remember that a record was deleted, which outlives the record."""
        self.db.execute("INSERT OR REPLACE INTO deletions VALUES (?, ?, ?)", [name, record_id, at])

    def forget_deletion(self, record_id: str) -> None:
        """Forget a deletion that was taken back."""
        self.db.execute("DELETE FROM deletions WHERE id = ?", [record_id])

    def remove(self, name: str, record_id: str) -> None:
        """Remove a row for good, with its history."""
        self.db.execute(f"DELETE FROM {name} WHERE Id = ?", [record_id])
        if name in HISTORY_OF:
            history, parent = HISTORY_OF[name]
            self.db.execute(f"DELETE FROM {history} WHERE {parent} = ?", [record_id])

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Take back everything inside when it raises."""
        self.db.execute("SAVEPOINT inner")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK TO inner")
            raise
        finally:
            self.db.execute("RELEASE inner")
