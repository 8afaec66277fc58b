"""How large a test is: `make test` takes the small size of it, `make soak` the large one.

`make soak` runs the tests that bear the mark `soak`, and draws new seeds for them each time. It prints what it drew
them from: `SOAK=1 SOAK_SEED=... .venv/bin/pytest tests/...` runs the same again.
"""

import os
import random
import secrets
from typing import TypeVar

Size = TypeVar("Size")

# How many times the seeds of one soak are drawn: `make soak SOAK=10` goes on for a night.
SOAK = int(os.environ.get("SOAK") or 0)
# The processes that test side by side inherit it from the first, for all must come to the same seeds.
SEED = int(os.environ.setdefault("SOAK_SEED", str(secrets.randbelow(10**9)))) if SOAK else 0

# The name of what a test says of itself: how many processes it killed.
KILLS = "kills"


def sized(quick: Size, soak: Size) -> Size:
    """Return the size that this run takes."""
    return soak if SOAK else quick


ROUNDS = sized(20, 60)
"""How often the acts of a race meet."""


def seeds(quick: int, soak: int) -> list[int]:
    """Return so many seeds: the same ones in every quick run, new ones in every soak."""
    if not SOAK:
        return list(range(quick))
    chance = random.Random(SEED)  # noqa: S311 - to be repeated
    return [chance.randrange(10**9) for _seed in range(soak * SOAK)]
