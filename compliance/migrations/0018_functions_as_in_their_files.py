"""Store three functions as `compliance/sql` has them: what they do is the same."""

from django.db import migrations

from salesconnect.lib.database.sql import statement

NAMES = ("compliance_suppress", "compliance_unsubscribe", "compliance_tally_cards")


class Migration(migrations.Migration):
    dependencies = [("compliance", "0017_mail_to_former_address")]
    operations = [migrations.RunSQL(statement(__file__, f"sql/0018_{name}"), migrations.RunSQL.noop) for name in NAMES]
