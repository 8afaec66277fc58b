"""Where the roots of seals go, and how far they are on the way."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0005_refusals"),
    ]

    operations = [
        migrations.CreateModel(
            name="RootDelivery",
            fields=[
                ("way", models.CharField(max_length=10, primary_key=True, serialize=False)),
                ("sent", models.BigIntegerField(default=0)),
                ("sent_at", models.DateTimeField(null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("not_before", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("error", models.CharField(blank=True, max_length=300)),
            ],
        ),
        migrations.CreateModel(
            name="RootTimestamp",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("seal_number", models.BigIntegerField()),
                ("authority", models.CharField(max_length=500)),
                ("at", models.DateTimeField()),
                ("token", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name="RootPlaces",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mail_to", models.EmailField(blank=True, max_length=254, verbose_name="Mail to")),
                ("webhook_url", models.URLField(blank=True, max_length=500, verbose_name="Webhook")),
                (
                    "timestamp_url",
                    models.URLField(blank=True, max_length=500, verbose_name="Timestamp authority (RFC 3161)"),
                ),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("pk", 1)), name="root_places_one_row")],
            },
        ),
    ]
