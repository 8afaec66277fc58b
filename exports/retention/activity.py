"""What a person did, as retention asks: signs of life are the person's own, never our mail and never our edits.

A person clicked or complained, said no to somebody here, gave a consent, or asked for something. A consent and a
request count from the day on which they were given and received. What merged records did counts for the one that is
left.
"""

import datetime as dt
from collections.abc import Collection

from django.db.models import BooleanField, F, Func
from django.utils import timezone

from compliance.suppression.sources import SAID_BY_SOMEBODY
from contacts.events import history
from salesconnect.lib.database.sql import fill, statement

SOURCES = ", ".join(f"'{source}'" for source in SAID_BY_SOMEBODY)
ROWS_OF = "AND contact_id = ANY('{ids}'::bigint[])"
EVENTS_OF = """AND contact_id = ANY('{ids}'::bigint[]
    || ARRAY(SELECT gone FROM heirs WHERE kept = ANY('{ids}'::bigint[])))"""


class InactiveSince(Func):
    """The condition that a person, by the number, has done nothing since a moment.

    Where it is asked of some people alone, `among` names them: then it costs as much as they are.
    """

    output_field = BooleanField()

    def __init__(self, since: dt.datetime, among: Collection[int] | None = None) -> None:
        tomorrow = timezone.now() + history.CLOCKS_DIFFER
        values = {"moment": since.isoformat(), "tomorrow": tomorrow.isoformat(), "events_of": "", "rows_of": ""}
        values["day"] = timezone.localdate(since).isoformat()
        if among is not None:
            ids = f"{{{','.join(str(int(number)) for number in among)}}}"
            values |= {"events_of": fill(EVENTS_OF, ids=ids), "rows_of": fill(ROWS_OF, ids=ids)}
        people = statement(__file__, "acted", sources=SOURCES, **values)
        template = f"(NOT EXISTS (SELECT FROM ({people}) AS alive (id) WHERE alive.id = %(expressions)s))"
        super().__init__(F("pk"), template=template)
