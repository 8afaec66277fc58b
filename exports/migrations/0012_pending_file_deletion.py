"""A name for the model that says what it is. The table keeps its own, so no row and no statement changes."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("exports", "0011_trace_words")]

    operations = [
        migrations.AlterModelTable(name="doomedfile", table="exports_doomedfile"),
        migrations.RenameModel("DoomedFile", "PendingFileDeletion"),
    ]
