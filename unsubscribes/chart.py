"""The geometry of the chart of opt-outs and opt-ins: pairs of bars, in the units of its view box."""

from collections.abc import Sequence
from dataclasses import dataclass

from unsubscribes.ledger import Period

WIDTH, HEIGHT = 720, 220
LEFT, BOTTOM, TOP = 40, 24, 20
BAR, GAP = 22, 2
STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: where it stands, how high it is, the number it shows, and of what kind."""

    x: int
    y: int
    height: int
    number: int
    kind: str

    @property
    def middle(self) -> int:
        """Return where its number stands."""
        return self.x + BAR // 2

    @property
    def number_y(self) -> int:
        """Return the base line of its number."""
        return self.y - 5


@dataclass(frozen=True, slots=True)
class Group:
    """The two bars of a period, and where the period's name stands."""

    period: Period
    middle: int
    bars: tuple[Bar, Bar]


@dataclass(frozen=True, slots=True)
class Chart:
    """The groups and the lines of the grid, each with its height and number."""

    groups: list[Group]
    grid: list[tuple[int, int]]


def draw(periods: Sequence[Period]) -> Chart:
    """Return the chart of `periods`."""
    top = _nice(max((max(period.unsubscribed, period.resubscribed) for period in periods), default=0))
    step = (WIDTH - LEFT) / max(len(periods), 1)
    groups = [_group(period, round(LEFT + step * (place + 0.5)), top) for place, period in enumerate(periods)]
    grid = [(_y(number, top), number) for number in sorted({0, top // 2, top})]
    return Chart(groups, grid)


def _group(period: Period, middle: int, top: int) -> Group:
    left = _bar(middle - BAR - GAP // 2, period.unsubscribed, "unsubscribed", top)
    right = _bar(middle + GAP // 2, period.resubscribed, "resubscribed", top)
    return Group(period, middle, (left, right))


def _bar(x: int, number: int, kind: str, top: int) -> Bar:
    y = _y(number, top)
    return Bar(x, y, HEIGHT - BOTTOM - y, number, kind)


def _y(number: int, top: int) -> int:
    return round(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * number / top)


def _nice(largest: int) -> int:
    """Return the smallest of 2, 4, 10, 20, 40, 100 … that is not less: twice 1, 2 or 5 times a power of ten."""
    power = 1
    while True:
        for step in STEPS:
            if 2 * step * power >= largest:
                return 2 * step * power
        power *= 10
