"""Whether people without a recorded authorization are held back is the policy's to say now, with its history."""

from django.db import migrations


def move(apps, schema_editor):
    team = apps.get_model("unsubscribes", "TeamSettings").objects.first()
    if team and not team.hold_unauthorized:
        apps.get_model("compliance", "Policy").objects.create(no_authorization="warn", actor_name="Sales Connect")


class Migration(migrations.Migration):
    dependencies = [("unsubscribes", "0007_sync_clocks"), ("compliance", "0006_verdict_rules")]
    operations = [
        migrations.RunPython(move, migrations.RunPython.noop),
        migrations.RemoveField("teamsettings", "hold_unauthorized"),
    ]
