"""The state of a person at any past moment, folded from the events, and the verdict under the policy of that time.

Every act writes what it changed, so the last event before a moment that names a field tells the field's value at that
moment. Nothing is read from the card, which knows only today. Details are told backwards from what they are now: a
person's creation does not repeat them in the history.
"""

import datetime as dt
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from django.db import connection
from django.utils import timezone

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.source_registry import SourceType
from compliance.verdict import policy
from compliance.verdict.reason_registry import Facts, OptOut
from compliance.verdict.verdict import Verdict, verdict
from contacts.events import history
from contacts.models import Contact, ContactEvent
from contacts.people.field_registry import DETAILS
from salesconnect.lib.database.sql import statement

# What each kind of event says of a person, as a JSON object; the later word on a key stands. `basis` is when the legal
# basis was recorded or reviewed last. A created person has plain values, every other change is `[from, to]`.
NEW_VALUES = """
    (SELECT coalesce(jsonb_object_agg(key, value->1), '{}') FROM jsonb_each(event.changes)
     WHERE jsonb_typeof(value) = 'array')
"""
# A basis that stands on with its dates, after a merge or an undo, says from which day its clock runs.
CLOCKS = """
    CASE WHEN event.changes ? 'basis_since' THEN jsonb_build_object('basis', event.changes->'basis_since'->1,
        'reviewed', event.changes->'reviewed_on'->1) ELSE '{}' END
"""
FACTS_OF_EVENT = statement(__file__, "facts_of_event", new=NEW_VALUES, clocks=CLOCKS)
# That words were scrubbed changes nothing of what a verdict asks.
ACTIONS = tuple(action for action in re.findall(r"WHEN '(\w+)' THEN", FACTS_OF_EVENT) if action != history.SCRUBBED)
"""The events that change what is known, each as `facts_of_event.sql` says."""
INSTANT = dt.timedelta(microseconds=1)
"""What lies between a moment and the one just before it, as PostgreSQL counts."""
ASKED_PAIRS = "SELECT * FROM unnest(%(numbers)s::bigint[], %(ids)s::bigint[], %(moments)s::timestamptz[])"


@dataclass
class PersonState(Facts):
    """What was known of a person at a moment; it has the fields of the card, and the opt-out in `said`."""

    here: bool = False
    authorization_other: str = ""
    source_type: int | None = None
    source_other: str = ""
    said: OptOut | None = None
    said_reason: str = ""
    reviewed_on: dt.date | None = None
    informed_at: dt.datetime | None = None

    def get_authorization_type_display(self) -> str:
        return str(AuthorizationType(self.authorization_type).label) if self.authorization_type else ""

    def get_source_type_display(self) -> str:
        return str(SourceType(self.source_type).label) if self.source_type else ""


@dataclass(frozen=True, slots=True)
class PersonAsOf:
    """One person at one moment: who it was, what was known, and the verdict by the policy then in force."""

    contact: Contact
    moment: dt.datetime
    state: PersonState
    verdict: Verdict
    updated_at: dt.datetime


def states(asked: Sequence[tuple[int, dt.datetime]]) -> list[PersonState]:
    """Return the states of people, each at a moment, in the order in which they were asked; one query."""
    moments = [moment for _contact_id, moment in asked]
    sql, params = states_sql(ASKED_PAIRS, max(moments, default=timezone.now()))
    params |= {
        "numbers": list(range(len(asked))),
        "ids": [contact_id for contact_id, _moment in asked],
        "moments": moments,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        found = {number: read(words) for number, words in cursor.fetchall()}
    return [found.get(number, PersonState()) for number in range(len(asked))]


def states_sql(asked: str, until: dt.datetime | None = None, among: str = "true") -> tuple[str, dict[str, Any]]:
    """Return SQL of (number, state as JSON for `read`), and its parameters, for a query `asked` as in `STATES`.

    No moment may be later than `until`, or than now, which keeps the query off the months after it.

    One pass over the events of those who are asked for, so that a million take ten times as long as a hundred thousand.
    Who asks for a part of the people says in `among` which, as a condition of `event.contact_id`: else PostgreSQL may
    pass over the events of all.
    """
    return statement(__file__, "fold_events", asked=asked, told=FACTS_OF_EVENT, among=among), {
        "actions": list(ACTIONS),
        "until": until or timezone.now(),
    }


def read(text: str) -> PersonState:
    """Return a state from the JSON of `states_sql`."""
    words = json.loads(text)
    authorization, source = words.get("authorization_type"), words.get("source_type")
    said_at, unsubscribed = _moment(words.get("said_at")), bool(words.get("unsubscribed"))
    words |= {"basis_since": words.get("basis"), "reviewed_on": words.get("reviewed")}
    plain = {field.name: READ[field.type](words.get(field.name)) for field in fields(PersonState) if field.type in READ}
    return PersonState(**plain | {
        "authorization_type": AuthorizationType.from_slug(authorization).value if authorization else None,
        "source_type": SourceType.from_slug(source).value if source else None,
        "said": OptOut(said_at, words.get("said_source") or "") if unsubscribed and said_at else None,
        "said_reason": (words.get("said_reason") or "") if unsubscribed and said_at else "",
    })  # fmt: skip


def judge(state: PersonState, moment: dt.datetime) -> Verdict:
    return verdict(state, policy.at(moment), moment, state.said)


def past(contact: Contact, moment: dt.datetime) -> PersonAsOf | None:
    """Return a person as known at a moment; None when the person was not here, or not yet."""
    if moment < contact.created_at:
        return None
    own = ContactEvent.objects.filter(contact_id=contact.pk)
    # The creation is on record a moment after the time that it is given: the transaction's.
    recorded = own.filter(action=history.CREATED).order_by("at").values_list("at", flat=True).first()
    until = max(moment, recorded) if recorded and moment < recorded else moment
    [state] = states([(contact.pk, until)])
    if not state.here:
        return None
    changes = own.filter(at__lte=until, action__in=(*ACTIONS, history.EDITED))
    changed = changes.order_by("-at").values_list("at", flat=True)
    then = _as_then(contact, own.filter(at__gt=until, action=history.EDITED).order_by("-at", "-id"))
    return PersonAsOf(then, moment, state, judge(state, moment), changed.first() or contact.created_at)


def _as_then(contact: Contact, later: Iterable[ContactEvent]) -> Contact:
    """Return the person with the details from before the `later` edits, given newest first; it is never stored."""
    values = {name: getattr(contact, name) for name in DETAILS} | {"owner_id": contact.owner_id}
    for event in later:
        values |= {name: change[0] for name, change in event.changes.items() if name in values}
    return Contact(pk=contact.pk, created_at=contact.created_at, **values)


def _moment(text: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None


def _day(text: str | None) -> dt.date | None:
    if not text:
        return None
    return timezone.localdate(dt.datetime.fromisoformat(text)) if "T" in text else dt.date.fromisoformat(text)


READ: dict[Any, Callable[[Any], Any]] = {
    bool: bool,
    str: lambda text: text or "",
    dt.date | None: _day,
    dt.datetime | None: _moment,
}
"""How a fact of each type is read from JSON."""
