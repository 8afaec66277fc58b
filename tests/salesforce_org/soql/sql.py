"""A tree to SQL over the store, with the checks that need the schema."""

from dataclasses import dataclass
from typing import Any, Protocol

from tests.salesforce_org import clock
from tests.salesforce_org.ids import MalformedIdError, long_id
from tests.salesforce_org.schema import Field
from tests.salesforce_org.soql.lexer import SoqlError
from tests.salesforce_org.soql.tree import Comparison, Condition, Negation, Order, Query

NO_COLUMN = (
    "No such column '{}' on entity '{}'. If you are attempting to use a custom field, be sure to append the '__c' "
    "after the custom field name. Please reference your WSDL or the describe call for the appropriate names."
)
NO_OBJECT = (
    "sObject type '{}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' "
    "after the entity name. Please reference your WSDL or the describe call for the appropriate names."
)
KINDS = {"boolean": {"boolean"}, "datetime": {"datetime"}, "date": {"date"}}
SQL_OPERATORS = {"=": "IS", "!=": "IS NOT"}


class Visible(Protocol):
    """Which objects and fields a query may name."""

    def object_named(self, text: str) -> str | None:
        """Return the right spelling of an object, or None."""

    def visible(self, name: str) -> dict[str, Field]:
        """Return the fields by their names in small letters."""


@dataclass(frozen=True)
class Selection:
    """What a query asks for: an object, its fields (None for COUNT()), and SQL that gives row numbers."""

    object: str
    fields: list[Field] | None
    sql: str
    values: list[Any]
    ordered: bool


def compile_query(query: Query, visible: Visible, *, deleted: bool, hidden: bool = False) -> Selection:
    """Return the SQL of a query, with deleted rows or without, and with rows hidden by sharing or without."""
    name = visible.object_named(query.object)
    if name is None:
        raise SoqlError("INVALID_TYPE", NO_OBJECT.format(query.object), query.object_position)
    compiler = Compiler(name, visible.visible(name))
    fields = None if query.fields is None else [compiler.field(*field) for field in query.fields]
    conditions = ["1"] if deleted else ["NOT IsDeleted"]
    conditions += [] if hidden else ["NOT hidden"]
    conditions += [compiler.condition(query.where)] if query.where else []
    sql = f"SELECT number FROM {name} WHERE {' AND '.join(conditions)}"
    if query.order:
        sql += " ORDER BY " + ", ".join(compiler.order(key) for key in query.order)
    if query.limit is not None or query.offset:
        sql += f" LIMIT {-1 if query.limit is None else query.limit} OFFSET {query.offset}"
    return Selection(name, fields, sql, compiler.values, bool(query.order))


class Compiler:
    """Turns conditions into SQL and collects their values."""

    def __init__(self, name: str, fields: dict[str, Field]) -> None:
        self.name, self.fields = name, fields
        self.values: list[Any] = []

    def field(self, written: str, position: int) -> Field:
        """Return a field by its name, which may carry the object's name in front."""
        key = written.lower().removeprefix(f"{self.name.lower()}.")
        try:
            return self.fields[key]
        except KeyError:
            raise SoqlError("INVALID_FIELD", NO_COLUMN.format(written, self.name), position) from None

    def condition(self, condition: Condition) -> str:
        """Return SQL that is never NULL, so that NOT means what it says."""
        if isinstance(condition, Negation):
            return f"NOT ({self.condition(condition.part)})"
        if isinstance(condition, Comparison):
            return self._comparison(condition)
        return "(" + f" {condition.word} ".join(self.condition(part) for part in condition.parts) + ")"

    def order(self, key: Order) -> str:
        """Return a key of ORDER BY."""
        field = self.field(key.field, key.position)
        return f"{field.name} {'DESC' if key.descending else 'ASC'} NULLS {'LAST' if key.nulls_last else 'FIRST'}"

    def _comparison(self, comparison: Comparison) -> str:
        field = self.field(comparison.field, comparison.position)
        if not field.filterable:
            message = f"field '{field.name}' can not be filtered in a query call"
            raise SoqlError("INVALID_FIELD", message, comparison.position)
        values = [self._value(field, comparison, index) for index in range(len(comparison.values))]
        operator = comparison.operator
        if operator in {"IN", "NOT IN"}:
            return self._membership(field, operator, values)
        self.values.append(values[0])
        if operator == "LIKE":
            operator, escape = "LIKE", r" ESCAPE '\'"
        else:
            operator, escape = SQL_OPERATORS.get(operator, operator), ""
        test = f"{field.name} {operator} ?{escape}"
        return test if operator in SQL_OPERATORS.values() else f"({test} AND {field.name} IS NOT NULL)"

    def _membership(self, field: Field, operator: str, values: list[Any]) -> str:
        there = [value for value in values if value is not None]
        self.values += there
        found = f"({field.name} IN ({', '.join('?' * len(there))}) AND {field.name} IS NOT NULL)" if there else "0"
        if len(there) < len(values):
            found = f"({found} OR {field.name} IS NULL)"
        return f"NOT {found}" if operator == "NOT IN" else found

    def _value(self, field: Field, comparison: Comparison, index: int) -> Any:
        """Return a value as the store has it; a value of the wrong kind is refused, a quoted time above all."""
        literal = comparison.values[index]
        if literal.kind == "null":
            return None
        if literal.kind not in KINDS.get(field.type, {"string"}):
            quotes = "should be enclosed in quotes" if field.is_text else "should not be enclosed in quotes"
            kind = "dateTime" if field.type == "datetime" else "string" if field.is_text else field.type
            message = f"value of filter criterion for field '{field.name}' must be of type {kind} and {quotes}"
            raise SoqlError("INVALID_FIELD", message, comparison.position)
        if field.type == "boolean":
            return int(literal.text == "TRUE")
        if field.type == "datetime":
            return clock.parse(literal.text)
        if field.type in {"id", "reference"}:
            return self._id(literal.text)
        return literal.text

    @staticmethod
    def _id(text: str) -> str:
        try:
            return long_id(text)
        except MalformedIdError:
            raise SoqlError("INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {text}") from None
