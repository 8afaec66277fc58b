"""The sort keys of the names beside the name too, so that what a search finds is sorted without a look at the cards."""

from django.db import migrations, models

COPY = """
    UPDATE contacts_contact SET sort_last = card.sort_last, sort_first = card.sort_first
    FROM compliance_compliancecard card WHERE contact_id = id
"""


def sort_name(name: str) -> migrations.AddField:
    """Return the step that adds one key."""
    field = models.CharField(blank=True, db_collation="C", default="", editable=False, max_length=200)
    return migrations.AddField("contact", name, field, preserve_default=False)


class Migration(migrations.Migration):
    dependencies = [("contacts", "0006_roots"), ("compliance", "0007_erasure")]
    operations = [sort_name("sort_last"), sort_name("sort_first"), migrations.RunSQL(COPY, "")]
