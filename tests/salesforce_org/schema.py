"""The objects and fields that the org knows."""

from collections.abc import Iterable
from dataclasses import dataclass

from tests.salesforce_org.ids import PREFIXES

SYSTEM = """
    Id id
    IsDeleted boolean
    CreatedDate datetime
    CreatedById reference User
    LastModifiedDate datetime
    LastModifiedById reference User
    SystemModstamp datetime
"""
PERSON = """
    FirstName string 40 rw
    LastName string 80 rw required
    Name string 121 name
    Title string 128 rw
    Email email 80 rw
    Phone phone 40 rw
    MobilePhone phone 40 rw
    OwnerId reference User rw
    HasOptedOutOfEmail boolean rw
    DoNotCall boolean rw
    EmailBouncedReason string 255 rw
    EmailBouncedDate datetime rw
    MasterRecordId reference
"""
HISTORY = "Field string\n OldValue any\n NewValue any\n"
OBJECTS = {
    "Contact": SYSTEM
    + PERSON
    + "AccountId reference Account rw\n Department string 80 rw\n IsPersonAccount boolean person",
    "Lead": SYSTEM
    + PERSON
    + """
        Company string 255 rw required
        Website url 255 rw
        Status string 40 rw
        IsConverted boolean
        ConvertedDate date
        ConvertedAccountId reference Account
        ConvertedContactId reference Contact
    """,
    "Account": SYSTEM
    + """
        Name string 255 rw required
        Website url 255 rw
        Phone phone 40 rw
        OwnerId reference User rw
        MasterRecordId reference Account
        IsPersonAccount boolean person
        PersonContactId reference Contact person
        PersonHasOptedOutOfEmail boolean rw person
    """,
    "User": SYSTEM + "Username string 80\n Name string 121\n Email email 128\n IsActive boolean\n UserType string 40",
    "Organization": SYSTEM + "Name string 80\n IsSandbox boolean\n OrganizationType string 40\n InstanceName string 5",
    "ContactHistory": SYSTEM + "ContactId reference Contact\n" + HISTORY,
    "LeadHistory": SYSTEM + "LeadId reference Lead\n" + HISTORY,
}
HISTORY_OF = {"Contact": ("ContactHistory", "ContactId"), "Lead": ("LeadHistory", "LeadId")}
REPLICATED = ("Contact", "Lead", "Account")


@dataclass(frozen=True)
class Field:
    """A field of an object: what kind of value it takes and what may be done with it."""

    name: str
    type: str
    length: int = 0
    updateable: bool = False
    required: bool = False
    refers_to: str = ""
    person_accounts_only: bool = False
    compound_name: bool = False

    @property
    def is_text(self) -> bool:
        """Whether SOQL puts its values in quotes."""
        return self.type not in {"boolean", "datetime", "date"}

    @property
    def filterable(self) -> bool:
        """Whether WHERE may name it; the values of the history may only be read."""
        return self.type != "any"

    @property
    def label(self) -> str:
        """Return what people see."""
        return {"HasOptedOutOfEmail": "Email Opt Out"}.get(self.name, self.name)

    @property
    def column_type(self) -> str:
        """Return the type of the column in the store."""
        if self.type in {"boolean", "datetime"}:
            return "INTEGER NOT NULL DEFAULT 0" if self.type == "boolean" else "INTEGER"
        return "TEXT" if self.type in {"id", "reference"} else "TEXT COLLATE NOCASE"


def parse_field(line: str) -> Field:
    """Read one line of the tables above: name, type, then length, object and flags in any order."""
    name, kind, *rest = line.split()
    return Field(
        name,
        kind,
        length=next((int(word) for word in rest if word.isdigit()), 18 if kind in {"id", "reference"} else 0),
        updateable="rw" in rest,
        required="required" in rest,
        refers_to=next((word for word in rest if word in PREFIXES), ""),
        person_accounts_only="person" in rest,
        compound_name="name" in rest,
    )


class Schema:
    """The objects with their fields; tests may add custom fields."""

    def __init__(self) -> None:
        self.objects = {name: self._fields(text.splitlines()) for name, text in OBJECTS.items()}

    @staticmethod
    def _fields(lines: Iterable[str]) -> dict[str, Field]:
        return {field.name: field for field in map(parse_field, filter(str.strip, lines))}

    def add(self, name: str, field: Field) -> None:
        """Add a custom field to an object."""
        self.objects[name][field.name] = field
