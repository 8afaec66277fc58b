"""What an address looks like, beside the address."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("contacts", "0018_ledger_by_source")]
    operations = [
        migrations.AddField("contact", "skeleton_hash", models.UUIDField(editable=False, null=True)),
        # Empty as yet, whatever the number of people: the rows are filled by a later step.
        migrations.AddIndex(
            "contact",
            models.Index(
                condition=models.Q(("skeleton_hash__isnull", False)),
                fields=["skeleton_hash"],
                name="contact_by_skeleton",
            ),
        ),
    ]
