"""What a measure is, how it is taken, and the table of all of them."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

RUNS = 5

Times = list[float]


@dataclass(frozen=True, slots=True)
class Measure:
    """One row of the result. Lower is better but for requests a second; `ratio` is ours through the yardstick."""

    measure: str
    ours: float
    yardstick: float | None
    unit: str
    ratio: float | None
    target: str
    ok: bool


def compared(name: str, ours: float, yardstick: float, most: float, unit: str = "s") -> Measure:
    """Return a measure whose target is at most `most` times its yardstick."""
    ratio = ours / yardstick
    return Measure(name, round(ours, 4), round(yardstick, 4), unit, round(ratio, 2), f"≤ {most} ×", ratio <= most)


def at_least(name: str, ours: float, yardstick: float, least: float, unit: str) -> Measure:
    """Return a measure whose target is at least `least` times its yardstick."""
    ratio = ours / yardstick
    return Measure(name, round(ours, 1), round(yardstick, 1), unit, round(ratio, 2), f"≥ {least} ×", ratio >= least)


def limited(name: str, ours: float, most: float, unit: str, *, beside: float | None = None) -> Measure:
    """Return a measure with a fixed limit; `beside` is shown with it and decides nothing."""
    beside = None if beside is None else round(beside, 2)
    return Measure(name, round(ours, 2), beside, unit, None, f"≤ {most:g} {unit}", ours <= most)


def turns(*acts: Callable[[], object], prepare: Callable[[], object] | None = None, runs: int = RUNS) -> list[Times]:
    """Return for each act the times of `runs` runs after one warm-up, in seconds; `prepare` comes before each run.

    The acts take turns, so that a busy moment of the machine meets all of them.
    """
    taken: list[Times] = [[] for _act in acts]
    for _run in range(runs + 1):
        for times, act in zip(taken, acts, strict=True):
            if prepare:
                prepare()
            times.append(once(act))
    return [times[1:] for times in taken]


def middle(ours: Times, yardsticks: Times) -> tuple[float, float]:
    """Return the pair of one turn whose ratio is the median of all ratios."""
    pairs = sorted(zip(ours, yardsticks, strict=True), key=lambda pair: pair[0] / pair[1])
    return pairs[(len(pairs) - 1) // 2]


def once(act: Callable[[], object]) -> float:
    """Return the time of one run in seconds; alone for what cannot be repeated on the same data."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def percentile(times: Sequence[float], share: float) -> float:
    """Return the smallest time that `share` of the times do not exceed."""
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def peak_mb() -> float:
    """Return the peak resident memory of this program in MB.

    The kernel's own mark: what `getrusage` tells of a new process begins with what the one that started it had.
    """
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def table(measures: Sequence[Measure]) -> str:
    rows = [("measure", "ours", "yardstick", "unit", "ratio", "target", "")]
    rows += [
        (
            m.measure,
            f"{m.ours:g}",
            f"{m.yardstick:g}" if m.yardstick is not None else "–",
            m.unit,
            f"{m.ratio:g}" if m.ratio is not None else "–",
            m.target,
            "ok" if m.ok else "MISSED",
        )
        for m in measures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(7)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def write(path: Path, people: int, measures: Sequence[Measure], scans: Sequence[Mapping[str, object]]) -> None:
    """Write `bench.json`."""
    document = {"people": people, "measures": [asdict(measure) for measure in measures], "scans": scans}
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
