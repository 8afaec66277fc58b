"""The report of mail sent between two days, with the legal basis of each recipient at the time.

The basis is not today's: it is the one that the history shows for the moment when the gate let the mail pass. One query
annotates each mail with it; list, counts and file all use that query.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import transaction
from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    CharField,
    Count,
    Exists,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from compliance.card.rules import NOT_RECORDED
from contacts import recorded_files
from contacts.events import history
from contacts.models import Contact, ContactEvent, Merge
from salesconnect.lib import csv
from salesconnect.lib.actor import Actor
from salesconnect.lib.database import keyset
from salesconnect.lib.database.keyset import Page, SortKey
from unsubscribes.models import Message

FILE_PAGE = 1_000
COLUMNS = (
    "Sent At", "Mail", "Person ID", "First Name", "Last Name", "Email ID", "Subject", "Authorization Type",
    "Date of Consent", "Purpose of Processing", "Sent By",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class MailedQuery:
    """What the report covers: both days included, in the site's time zone; one legal basis (`ground`), or any."""

    since: dt.date
    until: dt.date
    ground: str = ""

    @property
    def moments(self) -> tuple[dt.datetime, dt.datetime]:
        """Return the start of the first day and the end of the last one."""
        days = (self.since, self.until + dt.timedelta(days=1))
        first, last = (timezone.make_aware(dt.datetime.combine(day, dt.time())) for day in days)
        return first, last


@dataclass(frozen=True, slots=True)
class Ground:
    """Mails sent on one legal basis: their number, the recipients, and mails to people who have been erased since."""

    slug: str
    mails: int
    people: int
    erased: int = 0


class NewValue(Func):
    """The value of a field after an event: the second of `[from, to]`; in a `created` event the value stands alone."""

    template = (
        "CASE jsonb_typeof(%(expressions)s->'%(key)s') WHEN 'array' THEN %(expressions)s->'%(key)s'->>1"
        " ELSE %(expressions)s->>'%(key)s' END"
    )
    output_field = CharField()


class PersonNumbers(Func):
    """The ids of a person and of all records merged into it, as an array."""

    template = f"(ARRAY({history.MERGED_IDS.replace('%(expressions)s', 'ARRAY[%(expressions)s]')}))"
    output_field = ArrayField(BigIntegerField())


class IsOneOf(Func):
    """The condition that a number is in an array."""

    arg_joiner, template, output_field = " = ANY ", "(%(expressions)s)", BooleanField()


def mails(wanted: MailedQuery) -> QuerySet[Any]:
    """Return the mails, each annotated with the `ground` at the time of sending; unordered."""
    first, last = wanted.moments
    # Mails that bounced later were sent too, so the state is not filtered.
    sent = Message.objects.filter(sent_at__isnull=False, sent_at__gte=first, sent_at__lt=last)
    ground = Coalesce(_then("authorization_type"), Value(NOT_RECORDED))
    found: Any = sent.annotate(moment=Coalesce("claimed_at", "sent_at"), number_then=_number_then())
    found = found.annotate(ground=ground)
    return found.filter(ground=wanted.ground) if wanted.ground else found


def page(wanted: MailedQuery, *, cursor: str | None, size: int, actor: Actor) -> Page[Any]:
    """Return one page of the mails, oldest first, with person, ground, and the consent if there was one.

    Raises `Invalid` for a damaged cursor.
    """
    actor.require("view_people")
    found = mails(wanted).annotate(consent_date=_then("consent_date"), consent_purpose=_then("consent_purpose"))
    keys = (SortKey("sent_at"), SortKey("id"))
    return keyset.page(
        found.select_related("contact").defer("text", "html"),
        keys,
        cursor=cursor,
        size=size,
        values=lambda mail: (mail.sent_at, mail.pk),
    )


def grounds(wanted: MailedQuery, *, actor: Actor) -> list[Ground]:
    """Return the numbers for each legal basis, the most frequent first."""
    actor.require("view_people")
    there = mails(wanted).order_by().values_list("ground").annotate(Count("pk"), Count("contact_id", distinct=True))
    counted = {ground: (number, people) for ground, number, people in there}
    gone = dict(_to_erased(wanted).order_by().values_list("ground").annotate(Count("id")))
    found = [Ground(slug, *counted.get(slug, (0, 0)), gone.get(slug, 0)) for slug in {**counted, **gone}]
    return sorted(found, key=lambda ground: (-ground.mails - ground.erased, ground.slug))


@transaction.atomic
def export(wanted: MailedQuery, *, actor: Actor) -> Iterator[str]:
    """Return the report as lines of a CSV file. An export event is recorded for everybody in it."""
    actor.require("export_people")
    reason = _("mail from %(since)s to %(until)s") % {"since": wanted.since, "until": wanted.until}
    return recorded_files.write_recorded(
        _file_pages(wanted, actor),
        lambda found: "".join(csv.line(_cells(mail)) for mail in found.rows),
        lambda found: (mail.contact_id for mail in found.rows),
        head=csv.BOM + csv.line(COLUMNS),
        actor=actor,
        reason=reason,
    )


def _to_erased(wanted: MailedQuery) -> QuerySet[Any]:
    """Return the mail events of people who are gone, each with its `ground`. Scrubbing leaves these codes in place."""
    first, last = wanted.moments
    sent = ContactEvent.objects.filter(action=history.MAILED, at__gte=first, at__lt=last)
    here = Contact.objects.filter(pk=OuterRef("contact_id"))
    merged = Merge.objects.filter(absorbed_id=OuterRef("contact_id"), undone_at=None)
    ground = Coalesce(_then("authorization_type", "at", "contact_id"), Value(NOT_RECORDED))
    return sent.filter(~Exists(here), ~Exists(merged)).annotate(ground=ground)


def _number_then() -> Case:
    """Return the id of the record that a mail went to. A merge moves messages to the survivor, but not their events."""
    merged = Merge.objects.filter(survivor_id=OuterRef("contact_id"), undone_at=None)
    left = ContactEvent.objects.filter(action=history.MAILED, at__gte=OuterRef("moment"))
    left = left.annotate(mail=KeyTextTransform("1", KeyTransform("mail", "changes")))
    left = left.filter(IsOneOf(F("contact_id"), PersonNumbers(OuterRef("contact_id"))))
    told = left.filter(mail=Cast(OuterRef("pk"), TextField())).order_by("id").values("contact_id")[:1]
    number = Coalesce(Subquery(told), F("contact_id"), output_field=BigIntegerField())
    return Case(When(Exists(merged), then=number), default=F("contact_id"), output_field=BigIntegerField())


def _then(field: str, moment: str = "moment", number: str = "number_then") -> Subquery:
    said = ContactEvent.objects.filter(contact_id=OuterRef(number), at__lte=OuterRef(moment)).filter(
        Q(changes__has_key=field) | Q(action=history.CREATED)
    )
    newest = said.order_by("-at", "-id").annotate(became=NewValue(F("changes"), key=field))
    return Subquery(newest.values("became")[:1])


def _file_pages(wanted: MailedQuery, actor: Actor) -> Iterator[Page[Any]]:
    cursor: str | None = None
    while True:
        found = page(wanted, cursor=cursor, size=FILE_PAGE, actor=actor)
        yield found
        cursor = found.next
        if cursor is None:
            return


def _cells(mail: Any) -> tuple[object, ...]:
    person = mail.contact
    who = (person.pk, person.first_name, person.last_name, mail.email)
    sent = f"{mail.sent_at.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
    consent = (mail.consent_date or "", mail.consent_purpose or "")
    return (sent, mail.pk, *who, mail.subject, mail.ground, *consent, mail.actor_name)
