"""Which boxes the sync ticked for another address than the record has now."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("unsubscribes", "0014_forgotten_links")]
    operations = [
        migrations.AddField(
            model_name="syncrecord", name="ticked_for_other", field=models.BooleanField(db_default=False)
        ),
    ]
