"""Serializers of people, their history, and batches."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from compliance.verdict import policy, verdict
from compliance.verdict.asof import PersonAsOf
from contacts.models import Batch, ContactEvent, User
from contacts.people.field_registry import DETAILS, FIELDS
from contacts.people.queries import ContactQuerySet
from salesconnect.api.contacts.card_serializers import CARD, Card, card_body
from salesconnect.api.protocol.base import utc
from salesconnect.api.protocol.fields import Body, Text
from salesconnect.common import history_words

PersonRow = Mapping[str, Any]

PERSON_COLUMNS = (
    "id",
    *DETAILS,
    "owner_id",
    "created_at",
    "card__updated_at",
    "card__version",
    "card__unsubscribed",
    *(f"card__{name}" for name in CARD),
)


class Person(Body):
    """A person with the compliance card. PUT empties details that are absent; an absent owner or card is kept."""

    owner = serializers.PrimaryKeyRelatedField(queryset=User.objects.all(), required=False, allow_null=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)
    unsubscribed = serializers.BooleanField(read_only=True)
    verdict = serializers.ChoiceField(verdict.CHOICES, read_only=True)
    compliance = Card(required=False)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add a field for each declared detail, after the id."""
        number = {"id": serializers.IntegerField(read_only=True)}
        return {**number, **{field.name: Text(max_length=field.limit) for field in FIELDS}, **super().get_fields()}


class Count(serializers.Serializer):
    """How many people; exact up to 10,000, then `capped`."""

    count = serializers.IntegerField()
    capped = serializers.BooleanField()


class Change(serializers.Serializer):
    """A field before and after."""

    to = serializers.JSONField(allow_null=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add `from`, which is a reserved word in Python."""
        return {"from": serializers.JSONField(allow_null=True), **super().get_fields()}


class Event(serializers.Serializer):
    """Something that happened to a person."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    actor = serializers.CharField()
    action = serializers.CharField()
    door = serializers.CharField()
    batch = serializers.IntegerField(allow_null=True)
    text = serializers.CharField()
    changes = serializers.DictField(child=Change())


class FeedEvent(Event):
    """An event with the id of its person."""

    contact = serializers.IntegerField()


class Proof(serializers.Serializer):
    """The proof that leads from an event to the published root of its seal. It covers everything but the notes."""

    format = serializers.CharField()
    event = serializers.JSONField()
    path = serializers.JSONField()
    sealed_at = serializers.CharField()
    notes = serializers.ListField(child=serializers.CharField())

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add `root`, which is an attribute of serializers."""
        return {**super().get_fields(), "root": serializers.RegexField("^[0-9a-f]{64}$")}


def people_rows(people: ContactQuerySet, *more: str) -> QuerySet[Any, dict[str, Any]]:
    """Return people as plain rows with the values for `person_body`; a page of 1,000 creates no model objects."""
    return people.annotate(verdict_code=verdict.expression(policy.current())).values(
        *PERSON_COLUMNS, "verdict_code", *more
    )


def person_body(row: PersonRow) -> dict[str, Any]:
    """Return a row of `people_rows` as the API shows it."""
    return {
        "id": row["id"],
        **{name: row[name] for name in DETAILS},
        "owner": row["owner_id"],
        "created_at": utc(row["created_at"]),
        "updated_at": utc(row["card__updated_at"]),
        "unsubscribed": row["card__unsubscribed"],
        "verdict": row["verdict_code"],
        "compliance": card_body(row),
    }


def past_row(past: PersonAsOf) -> PersonRow:
    """Return a person as known at a past moment in the form of `people_rows`."""
    then, state = past.contact, past.state
    return {
        "id": then.pk,
        **{name: getattr(then, name) for name in DETAILS},
        "owner_id": then.owner_id,
        "created_at": then.created_at,
        "card__updated_at": past.updated_at,
        "card__unsubscribed": state.unsubscribed,
        "verdict_code": past.verdict.code,
        **{f"card__{name}": getattr(state, name) for name in CARD},
    }


def errors_by_place(errors: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return the errors with those of card fields below `compliance`."""
    card = {name: messages for name, messages in errors.items() if name in CARD}
    own = {name: messages for name, messages in errors.items() if name not in CARD}
    return own | ({"compliance": card} if card else {})


def event_body(event: ContactEvent, undoes: int | None) -> dict[str, Any]:
    """Return an event; `undoes` is the id of the batch that the event's batch undoes."""
    return {
        "id": event.id,
        "at": utc(event.at),
        "actor": event.actor_name,
        "action": event.action,
        "door": event.door,
        "batch": event.batch_id,
        "text": history_words.describe(event, undoes),
        "changes": {name: _change(value) for name, value in event.changes.items()},
    }


def feed_body(event: ContactEvent, undoes: int | None) -> dict[str, Any]:
    return {"contact": event.contact_id, **event_body(event, undoes)}


def batch_body(batch: Batch) -> dict[str, Any]:
    return {
        "batch": batch.pk,
        "kind": batch.kind,
        "state": batch.state,
        "total": batch.total,
        "done": batch.done,
        "changed": batch.changed,
        "unchanged": batch.unchanged,
        "refused": refusals(batch.refused),
        "error": batch.error,
        "undoes": batch.undoes_id,
        "actor": batch.actor_name,
        "created_at": utc(batch.created_at),
        "finished_at": utc(batch.finished_at),
    }


def refusals(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    return [{"reason": reason, "count": count} for reason, count in sorted(counts.items()) if count]


def _change(value: Any) -> dict[str, Any]:
    """Return a change; values of a `created` event have no `from`."""
    before, after = value if isinstance(value, list) else (None, value)
    return {"from": before, "to": after}
