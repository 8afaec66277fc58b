"""Indexes for the list of who said no: by the way a "no" came in, and of the few who said yes again.

A page of a rare source, or of the opt-ins alone, is found without reading through every opt-out ever made.
"""

from django.db import migrations

INDEXES = """
CREATE INDEX contactevent_of_source ON contacts_contactevent ((changes #> '{source,1}'), at, id)
    WHERE action IN ('unsubscribed', 'resubscribed');
CREATE INDEX contactevent_of_the_yes ON contacts_contactevent (at, id) WHERE action = 'resubscribed';
"""
NO_INDEXES = "DROP INDEX contactevent_of_source, contactevent_of_the_yes"


class Migration(migrations.Migration):
    dependencies = [("contacts", "0017_scrub_needs_erasure")]
    operations = [migrations.RunSQL(INDEXES, NO_INDEXES)]
