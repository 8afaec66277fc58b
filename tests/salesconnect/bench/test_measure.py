import pytest
from django.db import connection

from salesconnect.bench import measure, plans
from salesconnect.bench.measure import at_least, compared, limited, middle, peak_mb, turns
from salesconnect.bench.plans import Scans
from salesconnect.management.commands.bench import PARTS


def test_acts_take_turns_after_a_warm_up():
    done = []
    taken = turns(lambda: done.append("ours"), lambda: done.append("plain"), prepare=lambda: done.append("-"), runs=2)
    assert done == ["-", "ours", "-", "plain"] * 3
    assert [len(times) for times in taken] == [2, 2]


def test_the_middle_is_the_turn_with_the_median_ratio():
    assert middle([1.0, 9.0, 4.0], [1.0, 1.0, 2.0]) == (4.0, 2.0)


def test_a_measure_is_judged_by_its_ratio_or_its_limit():
    assert [compared("a", 3, 2, 1.5).ok, compared("a", 3.1, 2, 1.5).ok] == [True, False]
    assert [at_least("a", 6, 10, 0.6, "requests/s").ok, at_least("a", 5, 10, 0.6, "requests/s").ok] == [True, False]
    loaded = limited("a", 101, 100, "ms", beside=90)
    assert (loaded.ok, loaded.yardstick, loaded.ratio) == (False, 90, None)


def test_the_table_names_what_missed():
    lines = measure.table([compared("export", 3, 1, 1.5), limited("memory", 70, 150, "MB")]).splitlines()
    assert [line.split()[-1] for line in lines[1:]] == ["MISSED", "ok"]


def test_the_peak_of_memory_is_this_programs_own():
    assert 10 < peak_mb() < 10_000


def test_each_sequential_scan_over_many_rows_is_named_once(db, monkeypatch):
    monkeypatch.setattr(plans, "LARGE", -2)
    scans = Scans()
    with scans.watched("counts"), connection.cursor() as cursor:
        for _time in range(2):
            cursor.execute("SELECT count(*) FROM contacts_contact WHERE title = %s", ["x"])
    assert [(scan["measure"], scan["table"]) for scan in scans.found] == [("counts", "contacts_contact")]


@pytest.mark.parametrize("part", PARTS)
def test_every_part_says_what_it_measures(part):
    assert PARTS[part].__doc__
