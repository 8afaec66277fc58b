"""Template filters for people: events in words, fields, safe links."""

from typing import Any
from urllib.parse import urlsplit

from django import template

from contacts.people.field_registry import PLACED, PersonField, Trace
from salesconnect.common import history_words

register = template.Library()
register.filter("describe", history_words.describe)
register.filter("reason_words", history_words.reason_words)
register.filter("source_label", history_words.source_label)


@register.filter
def facts(person: Any) -> list[tuple[PersonField, str]]:
    """Return the fields of a person with their values, without the name; empty ones only if they are always shown."""
    values = [(field, getattr(person, field.name)) for field in PLACED if field.trace != Trace.NAME]
    return [(field, value) for field, value in values if value or field.always_shown]


@register.filter
def is_web_address(text: str) -> bool:
    """Tell whether a text is an http(s) URL with a host. Anything else, such as `javascript:`, is not made a link."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)
