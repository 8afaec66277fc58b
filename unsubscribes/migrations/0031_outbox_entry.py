"""The table of the outbox, its indexes and its constraint get the names that the code uses; no row is touched."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("unsubscribes", "0030_sync_provider"),
    ]

    operations = [
        migrations.RenameModel("SyncWish", "OutboxEntry"),
        migrations.AlterField(
            model_name="outboxentry",
            name="record",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="entries", to="unsubscribes.syncrecord"
            ),
        ),
        migrations.RenameIndex("outboxentry", new_name="outbox_due", old_name="sync_wish_due"),
        migrations.RenameIndex("outboxentry", new_name="outbox_leased", old_name="sync_wish_leased"),
        migrations.RenameIndex("outboxentry", new_name="outbox_open_of_record", old_name="sync_wish_open_of_record"),
        migrations.RenameIndex("outboxentry", new_name="outbox_by_state", old_name="sync_wish_by_state"),
        # Django would drop and build it anew; to PostgreSQL a conditional constraint is an index like any other.
        migrations.SeparateDatabaseAndState(
            [
                migrations.RunSQL(
                    "ALTER INDEX sync_wish_waits_once RENAME TO outbox_waits_once",
                    "ALTER INDEX outbox_waits_once RENAME TO sync_wish_waits_once",
                )
            ],
            [
                migrations.RemoveConstraint("outboxentry", "sync_wish_waits_once"),
                migrations.AddConstraint(
                    "outboxentry",
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["pending", "retry"])),
                        fields=("record",),
                        name="outbox_waits_once",
                    ),
                ),
            ],
        ),
    ]
