"""What the pages of people say and link: events in words, addresses that a browser may open."""

from urllib.parse import urlsplit

from django import template

from salesconnect.common import history_words

register = template.Library()
register.filter("describe", history_words.describe)
register.filter("reason_words", history_words.reason_words)
register.filter("source_label", history_words.source_label)


@register.filter
def is_web_address(text: str) -> bool:
    """Tell whether a text is an http or https address with a host; anything else is never made a link."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)
