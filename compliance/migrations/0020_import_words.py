"""What somebody said of words that may mean an opt-out, where a file to import holds them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("compliance", "0019_planned_anew")]
    operations = [migrations.AddField("importjob", "opt_out_words", models.JSONField(db_default={}, default=dict))]
