from django.contrib.postgres.functions import TransactionNow
from django.db import models


class Merge(models.Model):
    """Two records of one person that became one: whose number went, and all that is needed to undo it.

    The absorbed row is gone; its events keep its number, and `contacts.history` reads them with the survivor's.
    Plain numbers, no foreign keys, for one of the two does not exist.
    """

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
