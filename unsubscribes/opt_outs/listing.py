"""The list of all opt-outs and opt-ins, the suppressed addresses that nobody here has, and counts over time."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from django.db.models import Count, DateField, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import TruncMonth, TruncWeek
from django.utils import timezone

from compliance.models import Suppression
from contacts.events import history
from contacts.models import Contact, ContactEvent, Merge
from contacts.people.addresses import address_hashes
from contacts.people.rules import normalise_address
from salesconnect.lib.database import keyset
from salesconnect.lib.database.keyset import Page, SortKey

OPT_OUT_ACTIONS = (history.UNSUBSCRIBED, history.RESUBSCRIBED)
RE_CONSENT = "re_consent"
PERIODS = 12
Unit = Literal["week", "month"]


@dataclass(frozen=True, slots=True)
class OptOutFilter:
    """A filter of the list. `since` and `until` are inclusive days in the site's time zone."""

    kind: str = ""
    source: str = ""
    since: dt.date | None = None
    until: dt.date | None = None
    search: str = ""

    def days(self, column: str) -> Q:
        condition = Q()
        if self.since:
            condition &= Q(**{f"{column}__gte": _midnight(self.since)})
        if self.until:
            condition &= Q(**{f"{column}__lt": _midnight(self.until + dt.timedelta(days=1))})
        return condition


@dataclass(frozen=True, slots=True)
class OptOutEvent:
    """One opt-out or opt-in; `person` is None for somebody who was deleted."""

    id: int
    at: dt.datetime
    kind: str
    source: str
    reason: str
    actor: str
    person: Contact | None


@dataclass(frozen=True, slots=True)
class PeriodCounts:
    """The opt-outs and opt-ins of a week or month; `last` is inclusive."""

    first: dt.date
    last: dt.date
    unsubscribed: int
    resubscribed: int


def events(wanted: OptOutFilter) -> QuerySet[ContactEvent]:
    actions = (wanted.kind,) if wanted.kind in OPT_OUT_ACTIONS else OPT_OUT_ACTIONS
    found = ContactEvent.objects.filter(wanted.days("at"), action__in=actions)
    if wanted.source:
        found = found.filter(changes__source__1=wanted.source)
    if wanted.search:
        people = Contact.objects.matching(wanted.search)
        found = found.filter(Q(contact_id__in=people.values("pk")) | Q(contact_id__in=_merged_into(people)))
    return found


def page(wanted: OptOutFilter, *, cursor: str | None, size: int) -> Page[OptOutEvent]:
    """Return one page of the list, newest first. Raises `Invalid` for a malformed cursor."""
    keys = (SortKey("at", descending=True), SortKey("id", descending=True))
    found = keyset.page(events(wanted), keys, cursor=cursor, size=size, values=lambda event: (event.at, event.id))
    people = _people(event.contact_id for event in found.rows)
    return Page([_entry(event, people) for event in found.rows], found.next, found.previous)


def addresses_of_nobody(wanted: OptOutFilter) -> QuerySet[Suppression]:
    """Return the suppressed addresses that no person here has. Hashes only match a whole address."""
    held = Contact.objects.filter(address_hash=OuterRef("address_hash"))
    found = Suppression.objects.filter(wanted.days("since"), ~Exists(held))
    if wanted.source:
        found = found.filter(source=wanted.source)
    return found.filter(address_hash__in=_hashes(wanted.search)) if wanted.search else found


def addresses_of_nobody_page(wanted: OptOutFilter, *, cursor: str | None, size: int) -> Page[Suppression]:
    keys = (SortKey("since", descending=True), SortKey("id", descending=True))
    return keyset.page(
        addresses_of_nobody(wanted), keys, cursor=cursor, size=size, values=lambda held: (held.since, held.pk)
    )


def figures(unit: Unit, today: dt.date) -> list[PeriodCounts]:
    """Return the last twelve weeks (from Monday) or months including the present one, oldest first."""
    firsts = _firsts(unit, today)
    truncate = TruncWeek if unit == "week" else TruncMonth
    counted = (
        events(OptOutFilter(since=firsts[0]))
        .annotate(first=truncate("at", output_field=DateField()))
        .values_list("first", "action")
        .annotate(number=Count("id"))
        .order_by()
    )
    numbers = {(first, action): number for first, action, number in counted}
    return [
        PeriodCounts(first, _last(unit, first), *(numbers.get((first, action), 0) for action in OPT_OUT_ACTIONS))
        for first in firsts
    ]


def _firsts(unit: Unit, today: dt.date) -> list[dt.date]:
    if unit == "week":
        monday = today - dt.timedelta(days=today.weekday())
        return [monday - dt.timedelta(weeks=back) for back in reversed(range(PERIODS))]
    months = [today.year * 12 + today.month - 1 - back for back in reversed(range(PERIODS))]
    return [dt.date(month // 12, month % 12 + 1, 1) for month in months]


def _last(unit: Unit, first: dt.date) -> dt.date:
    if unit == "week":
        return first + dt.timedelta(days=6)
    return (first + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)


def _midnight(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))


def _entry(event: ContactEvent, people: Mapping[int, Contact]) -> OptOutEvent:
    words = {name: change[1] or "" for name, change in event.changes.items() if isinstance(change, list)}
    source, reason = words.get("source", ""), words.get("reason", "") or words.get("wording", "")
    return OptOutEvent(event.id, event.at, event.action, source, reason, event.actor_name, people.get(event.contact_id))


def _people(numbers: Iterable[int]) -> dict[int, Contact]:
    """Return the people by id; the id of an absorbed record leads to the survivor of the merge."""
    now: dict[int, int] = {number: number for number in numbers}
    while moved := _survivors(set(now.values())):
        now = {number: moved.get(present, present) for number, present in now.items()}
    people: dict[Any, Contact] = Contact.objects.in_bulk(set(now.values()))
    return {number: people[present] for number, present in now.items() if present in people}


def _merged_into(people: QuerySet[Contact]) -> set[int]:
    """Return the ids of records that were merged into these people, over any number of merges."""
    merges = Merge.objects.filter(undone_at=None)
    hop = set(merges.filter(survivor_id__in=people.values("pk")).values_list("absorbed_id", flat=True))
    found: set[int] = set()
    while hop:
        found |= hop
        hop = set(merges.filter(survivor_id__in=hop).values_list("absorbed_id", flat=True)) - found
    return found


def _survivors(numbers: set[int]) -> dict[int, int]:
    merges = Merge.objects.filter(absorbed_id__in=numbers, undone_at=None)
    return dict(merges.values_list("absorbed_id", "survivor_id"))


def _hashes(address: str) -> list[Any]:
    try:
        return address_hashes(normalise_address(address))
    except ValueError:
        return []
