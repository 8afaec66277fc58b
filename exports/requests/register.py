"""The register of data subjects' requests: register, extend, pause, carry out, finish. Each act records an event."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from compliance.card.rules import TEXT_LIMIT
from compliance.models import Suppression
from compliance.review import restriction
from compliance.suppression import suppression
from contacts.events import history
from contacts.models import Contact, User
from exports.erasure import erasure
from exports.models import ANSWER_LIMIT, DataRequest, IdentityNote
from exports.requests import deadlines, open_requests
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.transactions import act
from salesconnect.lib.errors import Conflict, Invalid, Missing


@dataclass(frozen=True, slots=True)
class ClockReason:
    """Why a deadline is extended or paused: the legal reason, our words, and the day the person was told or asked."""

    kind: str
    words: str
    day: dt.date


Kind, State, Outcome = DataRequest.Kind, DataRequest.State, DataRequest.Outcome
BY_HAND = (Outcome.CARRIED_OUT, Outcome.REFUSED, Outcome.WITHDRAWN)
DONE_BY_AN_ACT = (Kind.ERASURE, Kind.RESTRICTION, Kind.OBJECTION)
"""Kinds that one act of the product carries out; the others are finished with an answer."""
RECORD_VIEW = """
    INSERT INTO exports_requestlook AS known (request_id, user_id, day) VALUES (%(request)s, %(user)s, %(day)s)
    ON CONFLICT (request_id, user_id) DO UPDATE SET day = EXCLUDED.day WHERE known.day < EXCLUDED.day
    RETURNING known.id
"""


@act
def take_in(
    kind: str,
    contact_id: int,
    received: dt.date,
    *,
    actor: Actor,
    identity_check: str = "",
) -> DataRequest:
    """Register a request; the user who does so becomes its handler. Raises `Forbidden`, and `Invalid` by field."""
    actor.require("handle_requests")
    errors: dict[str, list[str]] = {}
    if kind not in Kind:
        errors["kind"] = [_("There is no such request.")]
    if received > timezone.localdate():
        errors["received"] = [_("The date is in the future.")]
    if len(identity_check.strip()) > TEXT_LIMIT:
        errors["identity_check"] = [_("Use at most %(limit)d characters.") % {"limit": TEXT_LIMIT}]
    if not Contact.objects.visible_to(actor).filter(pk=contact_id).exists():
        errors["contact"] = [_("There is no person with this number.")]
    if errors:
        raise Invalid(errors)
    row = DataRequest(kind=kind, contact_id=contact_id, received=received, identity_check=identity_check.strip())
    row.handler_id, row.actor_name = actor.user_id, actor.name
    _set_due(row)
    row.save()
    if row.identity_check:
        _note(row, actor)
    _record(row, history.REQUESTED, actor, {"kind": (None, kind)})
    return row


def find(request_id: int, *, actor: Actor) -> DataRequest:
    """Return a request with person and handler. Raises `Forbidden` and `Missing`."""
    actor.require("view_people")
    row = DataRequest.objects.select_related("contact__card", "handler").filter(pk=request_id).first()
    if row is None:
        raise Missing
    return row


@act
def view(request_id: int, *, actor: Actor) -> DataRequest:
    """Return a request as `find` does, and record that its person's data was viewed, once a day for each user."""
    row = find(request_id, actor=actor)
    if row.contact_id is not None and _first_view_today(row, actor):
        _record(row, history.VIEWED, actor)
    return row


def _first_view_today(row: DataRequest, actor: Actor) -> bool:
    """Tell whether this is the user's first view on this day. Of two views at once, the row lock lets one through."""
    values = {"request": row.pk, "user": actor.user_id, "day": timezone.localdate()}
    with connection.cursor() as cursor:
        cursor.execute(RECORD_VIEW, values)
        return cursor.fetchone() is not None


def may_extend(request_id: int, *, actor: Actor) -> None:
    """Raise what `extend` would raise because of the request's state, before any input is read."""
    _check_extendable(_look_up(request_id, actor))


@act
def extend(request_id: int, why: ClockReason, *, actor: Actor) -> DataRequest:
    """Extend the deadline by two months: once, and within the first month. The person was told on `why.day`.

    Raises `Forbidden`, `Missing`, `Invalid` (`reason_kind`, `reason`, `told_on`), and `Conflict`: `done`, `extended`,
    `too_late`.
    """
    row = _open(request_id, actor)
    _check_extendable(row)
    reason = _why(why, DataRequest.ExtensionKind.values, "told_on", row.received)
    row.extension_kind, row.extension_reason, row.told_on = why.kind, reason, why.day
    row.extended_on = timezone.localdate()
    _set_due(row)
    row.save()
    _record(row, history.REQUESTED, actor, {"extended": (None, row.due.isoformat())})
    return row


def may_pause(request_id: int, *, actor: Actor) -> None:
    """Raise what `pause` would raise because of the request's state, before any input is read."""
    _check_pausable(_look_up(request_id, actor))


@act
def pause(request_id: int, why: ClockReason, *, actor: Actor) -> DataRequest:
    """Pause the deadline from the day on which the person was asked who they are or what they mean.

    Raises as `extend` (`reason_kind`, `reason`, `asked_on`), and `Conflict`: `paused`, `too_late`.
    """
    row = _open(request_id, actor)
    _check_pausable(row)
    reason = _why(why, DataRequest.PauseKind.values, "asked_on", row.resumed_on or row.received)
    row.state, row.paused_on, row.pause_kind, row.pause_reason = State.PAUSED, why.day, why.kind, reason
    row.save()
    _record(row, history.REQUESTED, actor, {"paused": (None, why.day.isoformat())})
    return row


@act
def resume(request_id: int, *, actor: Actor) -> DataRequest:
    """End a pause; the paused days are added to the deadline. Raises as `extend`, and `Conflict` (`running`)."""
    row = _open(request_id, actor)
    if row.paused_on is None:
        raise Conflict("running", _("The clock of this request is running."))
    _restart_clock(row)
    row.state = State.OPEN
    row.save()
    _record(row, history.REQUESTED, actor, {"resumed": (None, row.due.isoformat())})
    return row


@act
def assign(request_id: int, handler: User | None, *, actor: Actor) -> DataRequest:
    """Set the handler of a request; None for nobody. Raises as `extend`."""
    row = _open(request_id, actor)
    before, row.handler = row.handler, handler
    if before == handler:
        return row
    row.save(update_fields=["handler"])
    names = [user and str(user) for user in (before, handler)]
    _record(row, history.REQUESTED, actor, {"handler": (names[0], names[1])})
    return row


@act
def note_identity(request_id: int, words: str, *, actor: Actor) -> DataRequest:
    """Add a note on how the identity was checked; earlier notes are kept. Raises as `extend`."""
    row = _open(request_id, actor)
    row.identity_check = _text("identity_check", words)
    row.save(update_fields=["identity_check"])
    note = _note(row, actor)
    _record(row, history.REQUESTED, actor, {"identity": (None, note.pk)})
    return row


@act
def finish(request_id: int, outcome: str, answer: str, *, actor: Actor) -> DataRequest:
    """Finish a request with its outcome and the answer given.

    Raises as `extend`; `Invalid` (`outcome`, `answer`); `Conflict` (`not_carried_out`) if the outcome says that the
    request was carried out and the data shows that it was not.
    """
    row = _open(request_id, actor)
    if outcome not in BY_HAND:
        raise Invalid({"outcome": [_("Choose an outcome.")]})
    if outcome not in outcomes(row):
        words = _("This has not been done yet: carry the request out, and it ends with that.")
        raise Conflict("not_carried_out", words)
    _end(row, Outcome(outcome), _text("answer", answer, ANSWER_LIMIT), actor)
    return row


def may_carry_out(request_id: int, *, actor: Actor) -> DataRequest:
    """Return a request that can be carried out now; otherwise raise as `carry_out` does."""
    row = _look_up(request_id, actor, DataRequest.objects.select_related("contact__card"))
    _check_doable(row)
    return row


@act
def carry_out(request_id: int, *, actor: Actor) -> DataRequest:
    """Carry a request out and finish it: erase, restrict, or unsubscribe (for an objection) the person.

    Raises as `extend`, what the act itself raises, and `Conflict`: `by_hand` for any other kind, `identity` while no
    identity check is noted.
    """
    row = _open(request_id, actor)
    _check_doable(row)
    people, reason = Contact.objects.filter(pk=row.contact_id or 0), _("Request %(number)d") % {"number": row.pk}
    if row.kind == Kind.RESTRICTION:
        restriction.restrict(people, reason, actor=actor)
    elif row.kind == Kind.OBJECTION:
        suppression.unsubscribe(people, actor=actor, source=Suppression.Source.MANUAL, reason=reason)
    _end(row, Outcome.CARRIED_OUT, "", actor)
    # The erasure comes last, because it removes the person from the request that `_end` still records an event for.
    if row.kind == Kind.ERASURE:
        erasure.delete(people, actor=actor, why=erasure.REQUEST)
        row.refresh_from_db()
    return row


def outcomes(row: DataRequest) -> tuple[DataRequest.Outcome, ...]:
    """Return the outcomes that a user may choose; *carried out* is missing if an act does it and has not been done."""
    return (
        BY_HAND
        if row.kind not in DONE_BY_AN_ACT or _is_done_already(row)
        else tuple(o for o in BY_HAND if o != Outcome.CARRIED_OUT)
    )


def _is_done_already(row: DataRequest) -> bool:
    """Tell whether the data shows that the request is fulfilled. An erasure is not, as long as the person exists."""
    conditions = {
        Kind.RESTRICTION: {"card__restricted_at__isnull": False},
        Kind.OBJECTION: {"card__unsubscribed": True},
    }
    condition = conditions.get(Kind(row.kind))
    return condition is not None and Contact.objects.filter(pk=row.contact_id or 0, **condition).exists()


def _open(request_id: int, actor: Actor) -> DataRequest:
    # Locked, so that of two users who finish or pause a request at once the second sees what the first has done.
    return _look_up(request_id, actor, DataRequest.objects.select_for_update())


def _look_up(request_id: int, actor: Actor, rows: QuerySet[DataRequest] | None = None) -> DataRequest:
    actor.require("handle_requests")
    row = (DataRequest.objects.all() if rows is None else rows).filter(pk=request_id).first()
    if row is None:
        raise Missing
    if row.ended:
        raise Conflict("done", _("This request is done."))
    return row


def _check_doable(row: DataRequest) -> None:
    if row.kind not in DONE_BY_AN_ACT:
        raise Conflict("by_hand", _("This request ends with an answer, not with an act."))
    if not row.identity_check:
        raise Conflict("identity", _("First note how you checked the identity."))


def _check_extendable(row: DataRequest) -> None:
    if row.extended_on:
        raise Conflict("extended", _("This request has been extended already."))
    if timezone.localdate() > first_due(row):
        raise Conflict("too_late", _("The first month is over: the answer can no longer be put off."))


def _check_pausable(row: DataRequest) -> None:
    if row.state == State.PAUSED:
        raise Conflict("paused", _("The clock of this request stands still already."))
    if timezone.localdate() > row.due:
        raise Conflict("too_late", _("The last day is over: the clock can no longer be stopped."))


def _why(why: ClockReason, kinds: Sequence[str], day: str, first: dt.date) -> str:
    """Return the text of a reason. Raises `Invalid` for an unknown legal reason and an impossible day."""
    errors: dict[str, list[str]] = {}
    if why.kind not in kinds:
        errors["reason_kind"] = [_("Choose one of: %(kinds)s.") % {"kinds": ", ".join(kinds)}]
    if why.day > timezone.localdate():
        errors[day] = [_("The date is in the future.")]
    elif why.day < first:
        words = _("The day lies before %(day)s, when the clock of this request began to run.")
        errors[day] = [words % {"day": date_format(first)}]
    try:
        words = _text("reason", why.words)
    except Invalid as refusal:
        errors |= refusal.fields
    if errors:
        raise Invalid(errors)
    return words


def _note(row: DataRequest, actor: Actor) -> IdentityNote:
    return IdentityNote.objects.create(request=row, text=row.identity_check, actor_name=actor.name)


def _end(row: DataRequest, outcome: DataRequest.Outcome, answer: str, actor: Actor) -> None:
    if row.paused_on:
        _restart_clock(row)
    row.state = State.OPEN  # `days_late` has fixed answers for paused and finished requests
    row.late_by = open_requests.days_late(row)
    row.state, row.outcome, row.answer, row.done_at = State.DONE, outcome, answer, timezone.now()
    row.save()
    _record(row, history.ANSWERED, actor, {"outcome": (None, str(outcome))})


def first_due(row: DataRequest) -> dt.date:
    """Return the due date without an extension, up to which one may be granted; a running pause moves it."""
    return deadlines.due(
        row.received, extended=False, paused_days=row.paused_days + _days_stopped(row), country=settings.HOLIDAYS_OF
    )


def _days_stopped(row: DataRequest) -> int:
    """Return the days of the running pause; 0 if it began after the due date, because the request was late already."""
    if row.paused_on is None or row.paused_on > row.due:
        return 0
    return max(0, (timezone.localdate() - row.paused_on).days)


def _restart_clock(row: DataRequest) -> None:
    """End the pause and move the due date."""
    row.paused_days += _days_stopped(row)
    row.paused_on, row.pause_kind, row.pause_reason, row.resumed_on = None, "", "", timezone.localdate()
    _set_due(row)


def _set_due(row: DataRequest) -> None:
    """Calculate the due date. An extension granted after the first month does not count."""
    extended = row.extended_on is not None and row.extended_on <= first_due(row)
    row.due = deadlines.due(row.received, extended=extended, paused_days=row.paused_days, country=settings.HOLIDAYS_OF)


def _record(row: DataRequest, action: str, actor: Actor, more: dict[str, tuple[Any, Any]] | None = None) -> None:
    if row.contact_id is not None:
        history.record([row.contact_id], action, actor=actor, changes={"request": (None, row.pk), **(more or {})})


def _text(name: str, text: str, limit: int = TEXT_LIMIT) -> str:
    text = text.strip()
    if not text:
        raise Invalid({name: [_("Write something here; it is kept with the request.")]})
    if len(text) > limit:
        raise Invalid({name: [_("Use at most %(limit)d characters.") % {"limit": limit}]})
    return text
