from itertools import pairwise

import pytest

from salesconnect.lib import chart
from salesconnect.lib.chart import Point, Value


def points(*rows: tuple[int, ...]) -> list[Point]:
    return [Point(f"{place}", f"Place {place}", tuple(map(Value, row))) for place, row in enumerate(rows)]


@pytest.mark.parametrize(
    ("largest", "top"),
    [(0, 2), (1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 20), (43, 50), (99, 100), (2_002, 3_000), (10**9, 10**9)],
)
def test_the_axis_ends_at_a_round_number_whose_half_is_whole(largest, top):
    assert [number for _y, number in chart.columns(points((largest,))).grid] == sorted({0, top // 2, top})


def test_columns_of_a_point_stand_side_by_side_and_as_high_as_their_number():
    bars = chart.columns(points((10, 5), (0, 10))).bars
    assert [bar.value.number for bar in bars] == [10, 5, 0, 10]
    assert [bar.series for bar in bars] == [0, 1, 0, 1]
    assert bars[0].height == 2 * bars[1].height == bars[3].height
    assert bars[2].height == 0
    assert all(left.x + left.width < right.x for left, right in pairwise(bars))


def test_lines_have_a_corner_for_each_point_and_few_labels():
    drawn = chart.lines(points(*((number, number // 2) for number in range(90))))
    assert [len(line.split(" ")) for line in drawn.lines] == [90, 90]
    assert len(drawn.labels) <= chart.MOST_LABELS


def test_shares_are_parts_of_the_whole_and_the_longest_fills_the_row():
    rows = chart.shares([("a", Value(30)), ("b", Value(10)), ("c", Value(0))], 40)
    assert [(share.percent, share.length) for share in rows] == [(75.0, 100.0), (25.0, 33.33), (0.0, 0.0)]
    assert chart.shares([("a", Value(0))], 0)[0].percent == 0


def test_nothing_to_show_is_drawn_too():
    assert chart.columns([]).bars == []
    assert chart.lines([]).lines == []
