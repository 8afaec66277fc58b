"""What a query consists of."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Literal:
    """A value: its kind (string number boolean null date datetime) and its text without quotes."""

    kind: str
    text: str


@dataclass(frozen=True)
class Comparison:
    """`field operator value`; IN and NOT IN have several values."""

    field: str
    operator: str
    values: tuple[Literal, ...]
    position: int


@dataclass(frozen=True)
class Junction:
    """Conditions joined by AND or OR."""

    word: str
    parts: tuple["Condition", ...]


@dataclass(frozen=True)
class Negation:
    """NOT condition."""

    part: "Condition"


Condition = Comparison | Junction | Negation


@dataclass(frozen=True)
class Order:
    """A key of ORDER BY."""

    field: str
    descending: bool
    nulls_last: bool
    position: int


@dataclass(frozen=True)
class Query:
    """A parsed query; `fields` is None for COUNT()."""

    fields: tuple[tuple[str, int], ...] | None
    object: str
    object_position: int
    where: Condition | None
    order: tuple[Order, ...]
    limit: int | None
    offset: int
