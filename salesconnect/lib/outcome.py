"""The result of an act on one or many people. Refusals are data, not exceptions."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Outcome:
    """Counts of people: changed, unchanged, and refused by reason (`not_found`, `restricted`, `changed_since` …).

    `named` holds the ids of refused people by reason, where a list of them is worth keeping.
    """

    changed: int = 0
    unchanged: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    named: dict[str, list[int]] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return self.changed + self.unchanged + self.refused.total()

    def __add__(self, other: "Outcome") -> "Outcome":
        reasons = self.named.keys() | other.named.keys()
        named = {reason: self.named.get(reason, []) + other.named.get(reason, []) for reason in reasons}
        return Outcome(
            self.changed + other.changed, self.unchanged + other.unchanged, self.refused + other.refused, named
        )

    def refuse(self, reason: str, contact_ids: list[int]) -> "Outcome":
        """Count these people as refused, by name; returns the outcome itself."""
        if contact_ids:
            self.refused[reason] += len(contact_ids)
            self.named[reason] = self.named.get(reason, []) + contact_ids
        return self
