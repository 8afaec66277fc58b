"""A person's activity, as retention rules count it: only what the person did, never our mail and edits.

That is: an unsubscribe by link, complaint or to a user, a consent, or a request. Consents and requests count from the
day on which they were given or received. The activity of merged records counts for the survivor.
"""

import datetime as dt
from collections.abc import Collection

from django.db.models import BooleanField, F, Func
from django.utils import timezone

from compliance.suppression.opt_out_source_registry import SAID_BY_SOMEBODY
from contacts.events import history
from salesconnect.lib.database.sql import fill, statement

SOURCES = ", ".join(f"'{source}'" for source in SAID_BY_SOMEBODY)
ROWS_OF = "AND contact_id = ANY('{ids}'::bigint[])"
EVENTS_OF = """AND contact_id = ANY('{ids}'::bigint[]
    || ARRAY(SELECT gone FROM heirs WHERE kept = ANY('{ids}'::bigint[])))"""


class InactiveSince(Func):
    """The condition that a person has shown no activity since a moment.

    `among` restricts the subquery to the ids that are asked about, so that its cost depends on them alone.
    """

    output_field = BooleanField()

    def __init__(self, since: dt.datetime, among: Collection[int] | None = None) -> None:
        tomorrow = timezone.now() + history.CLOCK_SKEW
        values = {"moment": since.isoformat(), "tomorrow": tomorrow.isoformat(), "events_of": "", "rows_of": ""}
        values["day"] = timezone.localdate(since).isoformat()
        if among is not None:
            ids = f"{{{','.join(str(int(number)) for number in among)}}}"
            values |= {"events_of": fill(EVENTS_OF, ids=ids), "rows_of": fill(ROWS_OF, ids=ids)}
        people = statement(__file__, "acted", sources=SOURCES, **values)
        template = f"(NOT EXISTS (SELECT FROM ({people}) AS alive (id) WHERE alive.id = %(expressions)s))"
        super().__init__(F("pk"), template=template)
