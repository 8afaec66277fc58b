"""What an act on one or many people came to. Refusals are data, not exceptions."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Outcome:
    """Counts of people: changed, already so, and refused by reason (`not_found`, `restricted`, `changed_since` …)."""

    changed: int = 0
    unchanged: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """Return how many people the act looked at."""
        return self.changed + self.unchanged + self.refused.total()

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(self.changed + other.changed, self.unchanged + other.unchanged, self.refused + other.refused)
