"""What the pages of people say and link: events in words, addresses that a browser may open."""

from typing import Any
from urllib.parse import urlsplit

from django import template

from contacts.people.fields import PLACED, PersonField, Trace
from salesconnect.common import history_words

register = template.Library()
register.filter("describe", history_words.describe)
register.filter("reason_words", history_words.reason_words)
register.filter("source_label", history_words.source_label)


@register.filter
def facts(person: Any) -> list[tuple[PersonField, str]]:
    """Return what is known of a person by field, but for the name; an empty value only where it is always shown."""
    values = [(field, getattr(person, field.name)) for field in PLACED if field.trace != Trace.NAME]
    return [(field, value) for field, value in values if value or field.always_shown]


@register.filter
def is_web_address(text: str) -> bool:
    """Tell whether a text is an http or https address with a host; anything else is never made a link."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)
