"""The page of a person as of a past date, read only: what was known then, and the events up to then."""

import datetime as dt
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from compliance.verdict import asof
from contacts.models import Contact
from salesconnect.common.history_words import source_label
from salesconnect.common.typed_requests import SignedInRequest
from salesconnect.lib.errors import Invalid
from salesconnect.lib.web import parsing
from salesconnect.pages.person.history import lines

DAY = dt.timedelta(days=1)
INSTANT = dt.timedelta(microseconds=1)


def show(request: SignedInRequest, person: Contact, text: str) -> HttpResponse:
    """Render what was known of a person at `text`: the end of a day, or a time with its zone.

    Raises `Invalid` for anything else and for the future. Status 404 if the person did not exist yet.
    """
    moment = _moment(text)
    past = asof.past(person, moment)
    context: dict[str, Any] = {
        "person": past.contact if past else person,
        "past": past,
        "moment": moment,
        "day": timezone.localdate(moment).isoformat(),
        "today": timezone.localdate().isoformat(),
    }
    if past:
        context |= {
            "reasons": [reason.text for reason in past.verdict.reasons],
            "said_by": source_label(past.state.said.source) if past.state.said else "",
            "history": lines.of_person(person.pk, until=moment),
        }
    return render(request, "person/person_past.html", context, status=200 if past else 404)


def _moment(text: str) -> dt.datetime:
    """Return the moment that `text` names: for a day its end, for today now."""
    now = timezone.now()
    day, moment = parsing.day(text), parsing.moment(text)
    if day is not None:
        start = timezone.make_aware(dt.datetime.combine(day, dt.time()))
        moment = min(now, timezone.make_aware(dt.datetime.combine(day + DAY, dt.time())) - INSTANT)
        if start > now:
            raise Invalid({"as_of": [_("The date is in the future.")]})
    if moment is None:
        raise Invalid({"as_of": [_("Give a day, such as 2026-03-01.")]})
    if moment > now:
        raise Invalid({"as_of": [_("The date is in the future.")]})
    return moment
