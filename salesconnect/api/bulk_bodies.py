"""The request body of each bulk act: the selection, and the parameters that the act declares."""

from collections.abc import Callable
from functools import cache
from typing import Any

from rest_framework import serializers

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import TEXT_LIMIT
from compliance.card.source_registry import SourceType
from contacts.jobs.parameters import FlagParameter, Parameter, TextParameter, UserParameter
from contacts.jobs.selected import SelectedAct
from contacts.models import User
from salesconnect.api.contacts.card_serializers import AuthorizationBody, Selected, Slug, SourceBody
from salesconnect.api.protocol.fields import Body, Text


class BulkAuthorization(Selected, AuthorizationBody):
    """A legal basis for many people."""

    authorization_type = Slug(AuthorizationType)


class BulkSource(Selected, SourceBody):
    """A source for many people."""

    source_type = Slug(SourceType)


class BulkUnsubscribe(Selected):
    """An opt-out for many people."""

    reason = Text(max_length=TEXT_LIMIT)


class BulkMark(Selected):
    """A mark for many people, with a reason for the history."""

    reason = Text(max_length=TEXT_LIMIT)


class BulkDelete(Selected):
    """A deletion of many people, who asked for it or did not.

    For more than 100 people `expected` is required: the number that the caller saw, such as that of a dry run.
    """

    on_request = serializers.BooleanField(default=False)
    expected = serializers.IntegerField(min_value=0, required=False)


BODIES: dict[str, type[Body]] = {
    "authorization": BulkAuthorization,
    "source": BulkSource,
    "unsubscribe": BulkUnsubscribe,
    "informed": BulkMark,
    "reviewed": BulkMark,
    "delete": BulkDelete,
}
"""Bodies that cannot be generated, or whose name in the schema is published. All others are generated."""
FIELDS: dict[type[Parameter], Callable[[Any], serializers.Field]] = {
    TextParameter: lambda text: Text(max_length=text.limit),
    FlagParameter: lambda _flag: serializers.BooleanField(default=False),
    UserParameter: lambda _user: serializers.PrimaryKeyRelatedField(queryset=User.objects.all(), allow_null=True),
}


@cache
def body_of(act: SelectedAct) -> type[Body]:
    if act.kind in BODIES:
        return BODIES[act.kind]
    fields = {parameter.name: FIELDS[type(parameter)](parameter) for parameter in act.parameters}
    return type(f"Bulk{act.kind.title()}", (Selected,), {"__doc__": type(act).__doc__, **fields})
