from enum import Enum

from django.contrib.postgres.functions import TransactionNow
from django.db import models


class OnMerge(Enum):
    """What becomes of the rows that name a person when the record is merged into another: each such model says it."""

    MOVES = "moves"
    """They become rows of the record that stays."""
    MOVES_UNLESS_THERE = "moves unless there"
    """So do they, but for those that the record that stays has already; these go."""
    GOES = "goes"
    """They go with the record, for they are found out anew about the one that stays."""
    STAYS = "stays"
    """They keep the number that goes: what they tell is told of that record, or is looked up through the merge."""
    MERGED = "merged"
    """The two rows become one, field by field."""


class Merge(models.Model):
    """Two records of one person that became one: whose number went, and all that is needed to undo it.

    The absorbed row is gone; its events keep its number, and `contacts.events.history` reads them with the survivor's.
    Plain numbers, no foreign keys, for one of the two does not exist.
    """

    on_merge = OnMerge.STAYS

    survivor_id = models.BigIntegerField()
    absorbed_id = models.BigIntegerField()
    # The absorbed person as the row was, what the merge changed of the survivor (`[from, to]` by field), and which
    # rows of which model it moved. All three are emptied when the merge can no longer be undone.
    absorbed = models.JSONField(default=dict)
    changes = models.JSONField(default=dict)
    moved = models.JSONField(default=dict)
    actor_name = models.CharField(max_length=150)
    at = models.DateTimeField(db_default=TransactionNow())
    undone_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["survivor_id"], condition=models.Q(undone_at=None), name="merge_by_survivor"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["absorbed_id"], condition=models.Q(undone_at=None), name="merge_absorbed_once"
            ),
            models.CheckConstraint(
                condition=~models.Q(survivor_id=models.F("absorbed_id")), name="merge_is_of_two_people"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.absorbed_id} into {self.survivor_id}"
