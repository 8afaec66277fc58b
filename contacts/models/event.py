from django.db import models

from contacts.models.merge import OnMerge


class ContactEvent(models.Model):
    """One act that touched one person. Rows are only ever added; triggers refuse everything else.

    The table is partitioned by month (see `contacts.events.partitions`), so its key holds the time, nothing refers to
    an event by a foreign key, and an event keeps the plain number of its contact after the contact is gone.
    `changes` maps a field to `[from, to]`.
    """

    on_merge = OnMerge.STAYS

    pk = models.CompositePrimaryKey("id", "at")
    id = models.BigIntegerField()
    at = models.DateTimeField()
    contact_id = models.BigIntegerField()
    action = models.CharField(max_length=30)
    door = models.CharField(max_length=10)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=150)
    batch_id = models.BigIntegerField(null=True)
    changes = models.JSONField(default=dict)

    class Meta:
        managed = False
        db_table = "contacts_contactevent"

    def __str__(self) -> str:
        return f"{self.id} {self.action}"
