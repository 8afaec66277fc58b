"""The team's own texts in its record of processing activities."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("exports", "0004_requests"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ProcessingTexts",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address", models.TextField(blank=True, max_length=2000, verbose_name="Address of the controller")),
                (
                    "representatives",
                    models.TextField(
                        blank=True,
                        max_length=2000,
                        verbose_name="Joint controller, representative, data protection officer",
                    ),
                ),
                ("purposes", models.TextField(blank=True, max_length=2000, verbose_name="Purposes of the processing")),
                (
                    "people",
                    models.TextField(blank=True, max_length=2000, verbose_name="Categories of people and of data"),
                ),
                ("recipients", models.TextField(blank=True, max_length=2000, verbose_name="Further recipients")),
                (
                    "transfers",
                    models.TextField(
                        blank=True, max_length=2000, verbose_name="Transfers to third countries, and their safeguards"
                    ),
                ),
                ("limits", models.TextField(blank=True, max_length=2000, verbose_name="Time limits for erasure")),
                ("measures", models.TextField(blank=True, max_length=2000, verbose_name="Further security measures")),
                ("actor_name", models.CharField(max_length=150)),
                ("since", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
    ]
