"""The table of acts: each with the doors through which it can be done."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.history_machine.world import World

Do = Callable[[World, str, int, int], object]


@dataclass(frozen=True, slots=True)
class Act:
    """What can be done: `do` takes the world, the door, a number for whom and one for how.

    `needs` is what must be there for the act to be possible at all, see `World.facts`; `leaves` is the one kind of
    event that it is to each person whom it is about, if it is one.
    """

    name: str
    doors: tuple[str, ...]
    do: Do
    leaves: str
    needs: str


ACTS: dict[str, Act] = {}


def act(*doors: str, leaves: str, needs: str = "a person") -> Callable[[Do], Do]:
    """Put a function into the table under its name."""

    def add(do: Do) -> Do:
        name = do.__name__
        ACTS[name] = Act(name, doors, do, leaves, needs)
        return do

    return add
