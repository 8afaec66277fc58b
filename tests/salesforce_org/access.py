"""What the integration user may see and write: objects, fields, the API at all. Sharing is a flag of each row."""

from tests.salesforce_org.schema import HISTORY_OF, Field, Schema
from tests.salesforce_org.settings import Settings

NONE, READ, EDIT = "none", "read", "edit"
HISTORIES = {history: parent for parent, (history, _) in HISTORY_OF.items()}


class Access:
    """Field-level security and object permissions; everything is allowed until a test takes it away."""

    def __init__(self, schema: Schema, settings: Settings) -> None:
        self.schema, self.settings = schema, settings
        self.api_enabled = True
        self.objects: dict[str, str] = {}
        self.fields: dict[tuple[str, str], str] = {}
        self._visible: dict[tuple[str, bool], dict[str, Field]] = {}

    def set(self, name: str, field: str | None, level: str) -> None:
        """Give an object or one of its fields the level none, read or edit."""
        if level not in {NONE, READ, EDIT} or name not in self.schema.objects:
            raise ValueError(f"{name} {level}")
        self.forget()
        if field is None:
            self.objects[name] = level
        elif field in self.schema.objects[name]:
            self.fields[name, field] = level
        else:
            raise ValueError(f"no field {field}")

    def forget(self) -> None:
        """Look at the fields anew, since one was added or its level changed."""
        self._visible.clear()

    def object_named(self, text: str) -> str | None:
        """Return the right spelling of an object that can be read, or None."""
        name = next((known for known in self.schema.objects if known.lower() == text.lower()), None)
        if name is None or self.objects.get(name, EDIT) == NONE:
            return None
        if name in HISTORIES and HISTORIES[name] not in self.settings.history:
            return None
        return name

    def visible(self, name: str) -> dict[str, Field]:
        """Return the fields that can be seen, by their names in small letters."""
        key = name, self.settings.person_accounts
        if key not in self._visible:
            self._visible[key] = {
                field.name.lower(): field
                for field in self.schema.objects[name].values()
                if self.fields.get((name, field.name), EDIT) != NONE
                and (self.settings.person_accounts or not field.person_accounts_only)
            }
        return self._visible[key]

    def may_write(self, name: str, field: Field) -> bool:
        """Whether a field can be written."""
        return field.updateable and self.fields.get((name, field.name), EDIT) == EDIT

    def may_edit(self, name: str) -> bool:
        """Whether records of an object can be changed."""
        return self.objects.get(name, EDIT) == EDIT
