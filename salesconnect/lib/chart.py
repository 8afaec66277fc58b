"""The geometry of every chart, in the units of its view box: columns beside each other, and lines over time.

A chart is drawn on the server, so that it prints, needs no script and can be tested. What it shows comes as points;
what a template draws are lines of a grid, texts, rectangles and polylines.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

WIDTH, WIDE, HEIGHT = 560, 1100, 220
LEFT, BOTTOM, TOP = 48, 24, 20
WIDEST, GAP = 48, 2
STEPS = (1, 2, 3, 4, 5, 6, 8, 10)
MOST_LABELS = 8


@dataclass(frozen=True, slots=True)
class Value:
    """A number of a series: the list that it leads to, and its name to somebody who does not see the chart."""

    number: int
    url: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    """A place on the axis: its short label, its name in the table, and a value for each series."""

    label: str
    name: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """A drawn value: where it stands, of which series it is (0 is the first), and where its number is written."""

    x: int
    y: int
    width: int
    height: int
    series: int
    value: Value

    @property
    def middle(self) -> int:
        return self.x + self.width // 2

    @property
    def number_y(self) -> int:
        return self.y - 5


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn, with the points that it is drawn from for the table behind it.

    `grid` holds heights and numbers, `labels` places on the axis and texts, `lines` the corners of a polyline for each
    series.
    """

    points: Sequence[Point]
    grid: list[tuple[int, int]]
    labels: list[tuple[int, str]]
    bars: list[Bar] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    floor: int = HEIGHT - BOTTOM


@dataclass(frozen=True, slots=True)
class Share:
    """A row of horizontal bars: how many of the whole in percent, and how long the bar is, the longest being 100."""

    label: str
    value: Value
    percent: float
    length: float


def columns(points: Sequence[Point], width: int = WIDTH) -> Chart:
    top = _top(points)
    step = (width - LEFT) / max(len(points), 1)
    series = max((len(point.values) for point in points), default=1)
    thick = min(WIDEST // series, round(step * 0.7 / series))
    bars, labels = [], []
    for place, point in enumerate(points):
        middle = round(LEFT + step * (place + 0.5))
        labels.append((middle, point.label))
        left = middle - (thick * series + GAP * (series - 1)) // 2
        for number, value in enumerate(point.values):
            y = _y(value.number, top)
            bars.append(Bar(left + number * (thick + GAP), y, thick, HEIGHT - BOTTOM - y, number, value))
    return Chart(points, _grid(top), labels, bars=bars, width=width)


def lines(points: Sequence[Point]) -> Chart:
    """Return the chart of `points` as a line for each series, and as many labels as have room."""
    top = _top(points)
    step = (WIDTH - LEFT - 24) / max(len(points) - 1, 1)
    places = [round(LEFT + 12 + step * place) for place in range(len(points))]
    every = -(-len(points) // MOST_LABELS) or 1
    labels = [
        (x, point.label) for place, (x, point) in enumerate(zip(places, points, strict=True)) if not place % every
    ]
    series = max((len(point.values) for point in points), default=0)
    drawn = [
        " ".join(f"{x},{_y(point.values[number].number, top)}" for x, point in zip(places, points, strict=True))
        for number in range(series)
    ]
    return Chart(points, _grid(top), labels, lines=drawn)


def shares(rows: Sequence[tuple[str, Value]], whole: int) -> list[Share]:
    """Return rows of horizontal bars that show parts of `whole`."""
    longest = max((value.number for _label, value in rows), default=0) or 1
    return [
        Share(label, value, 100 * value.number / (whole or 1), round(100 * value.number / longest, 2))
        for label, value in rows
    ]


def _top(points: Sequence[Point]) -> int:
    return _nice(max((value.number for point in points for value in point.values), default=0))


def _grid(top: int) -> list[tuple[int, int]]:
    return [(_y(number, top), number) for number in sorted({0, top // 2, top})]


def _y(number: int, top: int) -> int:
    return round(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * number / top)


def _nice(largest: int) -> int:
    """Return the smallest of 2, 4, 6, 8, 10, 20, 30, 40 … that is not less and whose half is a whole number."""
    power = 1
    while True:
        for step in STEPS:
            if step * power >= largest and step * power % 2 == 0:
                return step * power
        power *= 10
