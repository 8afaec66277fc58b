"""The duty to inform people whose data came from others (GDPR art. 14): who still has to be informed, and who was.

It must be done within a month of the collection (art. 14(3)(a)), when the source is CRM Sync, Import or Other. Without
a recorded source it is unknown whether the duty applies; once the source is recorded, the month counts from creation.
"""

import datetime as dt

from django.db import connection
from django.db.models import Max, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from compliance.card import card_changes
from compliance.card.rules import TEXT_LIMIT
from compliance.card.source_registry import INDIRECT_SOURCES
from compliance.models import ComplianceCard
from compliance.verdict.reason_registry import months_before
from contacts.events import history
from contacts.models import Contact
from contacts.people.queries import ContactQuerySet
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.sql import statement
from salesconnect.lib.database.transactions import act
from salesconnect.lib.errors import Invalid
from salesconnect.lib.outcome import Outcome

BY_HAND, BY_MAIL, BOUNCED = "by_hand", "mail", "came_back"
"""How a person was informed; and that the mail which should have informed the person bounced."""
SAME_TIME_MARGIN = 1_000
MARK = statement(__file__, "mark_informed")

TAKE_BACK = statement(__file__, "take_informed_back")


@act
def mark(
    contacts: ContactQuerySet, *, actor: Actor, reason: str = "", how: str = BY_HAND, batch_id: int | None = None
) -> Outcome:
    """Put on record that all `contacts` have been told; who was before counts as unchanged.

    Restricted people are marked too: that they were told is a fact about us, and nothing is done with their data.
    """
    actor.require("edit_people")
    if len(reason) > TEXT_LIMIT:
        raise Invalid({"reason": [_("Use at most %(limit)d characters.") % {"limit": TEXT_LIMIT}]})
    ids = card_changes.lock(contacts)
    values = {"ids": ids, "how": how, "reason": reason.strip(), "action": history.INFORMED}
    with connection.cursor() as cursor:
        cursor.execute(MARK, values | history.event_values(actor, batch_id))
        changed = cursor.fetchone()[0]
    return Outcome(changed=changed, unchanged=len(ids) - changed)


@act
def withdraw_after_bounce(contact_id: int, *, actor: Actor) -> Outcome:
    """Put on record that the mail by which somebody counts as told came back; what a user marked by hand stands."""
    ids = card_changes.lock(Contact.objects.filter(pk=contact_id))
    newest = history.of_contact(contact_id).filter(action=history.INFORMED).first()
    if not ids or newest is None or newest.changes.get("how") != [None, BY_MAIL]:
        return Outcome(unchanged=len(ids))
    with connection.cursor() as cursor:
        values = {"ids": ids, "how": BOUNCED, "action": history.INFORMED}
        cursor.execute(TAKE_BACK, values | history.event_values(actor, None))
        changed = cursor.fetchone()[0]
    return Outcome(changed=changed, unchanged=len(ids) - changed)


def must_be_informed(card: str = "card__") -> Q:
    """Return the condition that a person still has to be told; `card` is the path to the card's fields."""
    return Q(**{f"{card}informed_at": None, f"{card}source_type__in": INDIRECT_SOURCES})


def waiting() -> QuerySet[ComplianceCard]:
    """Return the cards of those who must be told, with their people: by id, which is the order in which they came."""
    return (
        ComplianceCard.objects.filter(must_be_informed(card="")).select_related("contact__owner").order_by("contact_id")
    )


def overdue(today: dt.date | None = None) -> QuerySet[ComplianceCard]:
    """Return those of `waiting` who should have been told before `today`.

    Nobody with a higher id came before the day that counts, which lets the index of those who wait answer alone;
    `SAME_TIME_MARGIN` allows for people who came in at the same time.
    """
    limit = first_in_time(today or timezone.localdate())
    earlier = Contact.objects.filter(created_at__lt=limit).order_by("-created_at", "-id")
    newest = Contact.objects.filter(pk__in=earlier.values("pk")[:SAME_TIME_MARGIN]).aggregate(newest=Max("pk"))[
        "newest"
    ]
    return waiting().filter(contact_id__lte=newest or 0, contact__created_at__lt=limit)


def due(created_at: dt.datetime) -> dt.date:
    """Return the last day on which somebody who came in then is told in time: the same day of the next month."""
    return months_before(timezone.localdate(created_at), -1)


def first_in_time(today: dt.date) -> dt.datetime:
    """Return the beginning of the first day on which people came in whose last day is `today` or later."""
    day = months_before(today, 1)
    while months_before(day, -1) < today:
        day += dt.timedelta(days=1)
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))
