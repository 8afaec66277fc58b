"""Filters and ordering of messages in the API."""

from collections.abc import Mapping
from typing import Any

import django_filters as filters
from django.db.models import QuerySet

from salesconnect.lib.actor import Actor
from salesconnect.lib.database import keyset
from salesconnect.lib.database.keyset import Page, SortKey
from salesconnect.lib.errors import Invalid
from salesconnect.lib.web.date_fields import MomentFilter
from unsubscribes.models import Message

MessageState = Message.State
STATES = [(state.value, state.label) for state in MessageState if state != MessageState.SENDING]
"""The states shown by the API, where a message that is being sent still counts as queued."""
BY_TIME = ("created_after", "created_before")
LARGEST = 2**63 - 1


class MessageFilter(filters.FilterSet):
    """Every filter by its public name."""

    state = filters.ChoiceFilter(method="filter_state", choices=STATES)
    batch = filters.NumberFilter(field_name="batch_id", min_value=1, max_value=LARGEST, decimal_places=0)
    contact = filters.NumberFilter(field_name="contact_id", min_value=1, max_value=LARGEST, decimal_places=0)
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Message
        fields: list[str] = []

    def filter_state(self, queryset: QuerySet[Message], _name: str, value: str) -> QuerySet[Message]:
        return queryset.filter(
            state__in=(MessageState.QUEUED, MessageState.SENDING) if value == MessageState.QUEUED else (value,)
        )


FILTERS = frozenset(MessageFilter.base_filters)


def page(query: Mapping[str, str], *, actor: Actor, cursor: str | None, size: int) -> Page[Message]:
    """Return a page of messages, newest first, without their texts. Raises `Invalid`."""
    actor.require("view_people")
    asked = MessageFilter(dict(query), queryset=Message.objects.defer("text", "html"))
    if not asked.is_valid():
        raise Invalid({name: [str(text) for text in texts] for name, texts in asked.errors.items()})
    keys = [SortKey("id", descending=True)]
    if any(query.get(name) for name in BY_TIME):
        # The order of the index by time. It differs from the order by id only within one transaction.
        keys.insert(0, SortKey("created_at", descending=True))
    values = [key.path for key in keys]

    def place(message: Message) -> tuple[Any, ...]:
        return tuple(getattr(message, name) for name in values)

    return keyset.page(asked.qs, keys, cursor=cursor, size=size, values=place)
