"""The few template tags of the interface: icons, times in words, what a message links to."""

from datetime import datetime, timedelta
from functools import cache
from urllib.parse import parse_qsl

from django import template
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.contrib.messages.storage.base import Message
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

register = template.Library()

WORDS_FOR = timedelta(days=14)


@register.simple_tag
@cache
def icon(name: str, css: str = "") -> SafeString:
    """Return the decorative icon `name` of the sprite; the words beside it, or an aria-label, carry the meaning."""
    sprite = static("vendor/tabler-icons/sprite.svg")
    return format_html('<svg class="icon {}" aria-hidden="true"><use href="{}#{}"></use></svg>', css, sprite, name)


@register.filter
def exact(at: datetime) -> str:
    """Return a time to the minute, as ISO 8601 and both languages write it; Django's own formatting is far slower."""
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}"


@register.filter
def nearby(at: datetime) -> str:
    """Return a time in words when it is within two weeks ("3 days ago"), else its date."""
    age = timezone.now() - at
    if abs(age) > WORDS_FOR:
        return date_format(timezone.localtime(at), "DATE_FORMAT")
    if abs(age) < timedelta(days=1):
        return str(naturaltime(at))
    if age < timedelta():
        return _("%(delta)s from now") % {"delta": timesince(timezone.now(), at, depth=1)}
    return _("%(delta)s ago") % {"delta": timesince(at, depth=1)}


@register.filter
def toast_links(message: Message) -> dict[str, str]:
    """Return the links of a Django message: its extra tags are a query string of undo_url, link_url and link_text."""
    return dict(parse_qsl(message.extra_tags or ""))
