"""Serializers of compliance card, batches, restriction, verdict and balancing notes."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import TEXT_LIMIT
from compliance.card.source_registry import SourceType
from compliance.models import ReviewNote
from compliance.review.review import NOTE_LIMIT
from compliance.verdict.verdict import CHOICES as VERDICTS
from compliance.verdict.verdict import Verdict
from contacts.models.batch import State
from salesconnect.api.protocol.base import utc
from salesconnect.api.protocol.fields import Body, Day, Text
from salesconnect.lib.slug_choices import SlugChoices

EMPTY_CARD: dict[str, Any] = {
    "authorization_type": None,
    "authorization_other": "",
    "consent_date": None,
    "consent_purpose": "",
    "source_type": None,
    "source_other": "",
}
CARD = tuple(EMPTY_CARD)


class Slug(serializers.ChoiceField):
    """A type on the card: a slug in JSON, a member of the choices in Python, null if none is recorded."""

    def __init__(self, kind: type[SlugChoices], **kwargs: Any) -> None:
        self.kind = kind
        super().__init__([(choice.slug, choice.label) for choice in kind], allow_null=True, **kwargs)

    def to_internal_value(self, data: Any) -> SlugChoices:  # type: ignore[override] # a field's value has any type
        return self.kind.from_slug(super().to_internal_value(data))


class AuthorizationBody(Body):
    """The legal basis; null means that none is recorded."""

    authorization_type = Slug(AuthorizationType, required=False)
    authorization_other = Text(max_length=TEXT_LIMIT)
    consent_date = Day(required=False, allow_null=True)
    consent_purpose = Text(max_length=TEXT_LIMIT)


class SourceBody(Body):
    """Where the data came from; null means that it is not recorded."""

    source_type = Slug(SourceType, required=False)
    source_other = Text(max_length=TEXT_LIMIT)


class Card(AuthorizationBody, SourceBody):
    """Both halves of the card."""


class Selected(Body):
    """The selected people: `{"ids": […]}`, or `{"filter": {…}, "exclude": […]}`; an empty filter selects everyone."""

    selection = serializers.JSONField()
    dry_run = serializers.BooleanField(default=False)


class NoteBody(Body):
    """A balancing note: the three parts of the test, all needed."""

    purpose = Text(max_length=TEXT_LIMIT)
    necessity = Text(max_length=NOTE_LIMIT)
    balance = Text(max_length=NOTE_LIMIT)


class NoteReply(serializers.Serializer):
    """A balancing note with its author and date."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    actor = serializers.CharField()
    purpose = serializers.CharField()
    necessity = serializers.CharField()
    balance = serializers.CharField()


class Refusal(serializers.Serializer):
    """How many people were refused for one reason."""

    reason = serializers.CharField()
    count = serializers.IntegerField()


class Refused(serializers.Serializer):
    """A person whom a bulk change refused to change."""

    contact = serializers.IntegerField()
    reason = serializers.CharField()


class BatchReply(serializers.Serializer):
    """A bulk change and its progress. For a dry run `batch` is null and `changed` is what would change."""

    batch = serializers.IntegerField(allow_null=True)
    kind = serializers.CharField()
    state = serializers.ChoiceField(State.choices)
    total = serializers.IntegerField()
    done = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    refused = Refusal(many=True)


class Reason(serializers.Serializer):
    """A fact about the person, and its effect on the verdict."""

    code = serializers.CharField()
    text = serializers.CharField()
    effect = serializers.ChoiceField(VERDICTS)


class RestrictionBody(Body):
    """The reason, which is kept in the history."""

    reason = Text(max_length=TEXT_LIMIT)


class RestrictionReply(serializers.Serializer):
    """Whether the processing of a person is restricted, and since when."""

    restricted = serializers.BooleanField()
    since = serializers.DateTimeField(allow_null=True)


class VerdictReply(serializers.Serializer):
    """The answer to "may I contact this person now?"."""

    verdict = serializers.ChoiceField(VERDICTS)
    reasons = Reason(many=True)
    as_of = serializers.DateTimeField()


def card_body(row: Mapping[str, Any]) -> dict[str, Any]:
    authorization_type, source_type = row["card__authorization_type"], row["card__source_type"]
    date = row["card__consent_date"]
    return {
        "authorization_type": authorization_type and _AUTHORIZATIONS[authorization_type - 1],
        "authorization_other": row["card__authorization_other"],
        "consent_date": date and date.isoformat(),
        "consent_purpose": row["card__consent_purpose"],
        "source_type": source_type and _SOURCES[source_type - 1],
        "source_other": row["card__source_other"],
    }


def note_body(note: ReviewNote) -> dict[str, Any]:
    texts = {name: getattr(note, name) for name in ("purpose", "necessity", "balance")}
    return {"id": note.pk, "at": utc(note.created_at), "actor": note.actor_name, **texts}


def verdict_body(verdict: Verdict, as_of: dt.datetime) -> dict[str, Any]:
    reasons = [{"code": reason.code, "text": reason.text, "effect": reason.effect} for reason in verdict.reasons]
    return {"verdict": verdict.code, "reasons": reasons, "as_of": utc(as_of)}


_AUTHORIZATIONS, _SOURCES = AuthorizationType.slugs(), SourceType.slugs()
