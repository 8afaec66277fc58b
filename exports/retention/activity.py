"""What a person did, as retention asks: signs of life are the person's own, never our mail and never our edits.

A person clicked or complained, said no to somebody here, gave a consent, or asked for something. A consent and a
request count from the day on which they were given and received. What merged records did counts for the one that is
left.
"""

import datetime as dt
from collections.abc import Collection

from django.db.models import BooleanField, F, Func
from django.utils import timezone

from compliance.models import Suppression
from contacts.events import history

Source = Suppression.Source
# A bounce is the mailbox's; what Salesforce or a file says is dated by the reading, not by the person.
BY_THE_PERSON = (Source.CLICKED_LINK, Source.ONE_CLICK, Source.COMPLAINT, Source.MANUAL)
SOURCES = ", ".join(f"'{source}'" for source in BY_THE_PERSON)
ACTED = f"""
    WITH RECURSIVE heirs (gone, kept) AS (
        SELECT absorbed_id, survivor_id FROM contacts_merge WHERE undone_at IS NULL
        UNION SELECT gone, survivor_id FROM heirs JOIN contacts_merge ON absorbed_id = kept WHERE undone_at IS NULL
    ), acted (id) AS (
        SELECT contact_id FROM contacts_contactevent
        WHERE at >= '{{moment}}' AND at < '{{tomorrow}}' AND (
            action = '{history.UNSUBSCRIBED}' AND changes->'source'->>1 IN ({SOURCES})
            OR changes->'consent_date'->>1 >= '{{day}}') {{events_of}}
        UNION SELECT contact_id FROM exports_datarequest
            WHERE received >= '{{day}}' AND contact_id IS NOT NULL {{rows_of}}
        UNION SELECT contact_id FROM compliance_compliancecard WHERE consent_date >= '{{day}}' {{rows_of}}
        UNION SELECT contact_id FROM compliance_suppression said
            JOIN (SELECT id AS contact_id, address_hash FROM contacts_contact) AS contact USING (address_hash)
            WHERE said.said_at >= '{{moment}}' AND said.source IN ({SOURCES}) {{rows_of}}
    ) SELECT id FROM acted UNION SELECT kept FROM acted JOIN heirs ON gone = id
"""
ROWS_OF = "AND contact_id = ANY('{{{ids}}}'::bigint[])"
EVENTS_OF = """AND contact_id = ANY('{{{ids}}}'::bigint[]
    || ARRAY(SELECT gone FROM heirs WHERE kept = ANY('{{{ids}}}'::bigint[])))"""


class DidNothing(Func):
    """The condition that a person, by the number, has done nothing since a moment.

    Where it is asked of some people alone, `among` names them: then it costs as much as they are.
    """

    output_field = BooleanField()

    def __init__(self, since: dt.datetime, among: Collection[int] | None = None) -> None:
        tomorrow = timezone.now() + history.CLOCKS_DIFFER
        values = {"moment": since.isoformat(), "tomorrow": tomorrow.isoformat(), "events_of": "", "rows_of": ""}
        values["day"] = timezone.localdate(since).isoformat()
        if among is not None:
            ids = ",".join(str(int(number)) for number in among)
            values |= {"events_of": EVENTS_OF.format(ids=ids), "rows_of": ROWS_OF.format(ids=ids)}
        people = ACTED.format(**values)
        template = f"(NOT EXISTS (SELECT FROM ({people}) AS alive (id) WHERE alive.id = %(expressions)s))"
        super().__init__(F("pk"), template=template)
