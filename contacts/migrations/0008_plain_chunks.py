"""Chunks are stored as they are: to compress thousands of numbers took longer than to find them."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("contacts", "0007_sort_names")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE contacts_batchchunk ALTER contact_ids SET STORAGE EXTERNAL",
            "ALTER TABLE contacts_batchchunk ALTER contact_ids SET STORAGE EXTENDED",
        )
    ]
