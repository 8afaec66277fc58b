"""Template tags of the user interface: icons, times in words, links of messages."""

from datetime import datetime, timedelta
from functools import cache
from urllib.parse import parse_qsl

from django import template
from django.contrib.messages.storage.base import Message
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

register = template.Library()

WORDS_FOR, DAY, NONE = timedelta(days=14), timedelta(days=1), timedelta()
CLOCKS_DIFFER = timedelta(seconds=10)
HOUR = 60


@register.simple_tag
@cache
def icon(name: str, css: str = "") -> SafeString:
    """Return an icon of the sprite, hidden from screen readers: text or an aria-label beside it has the meaning."""
    sprite = static("vendor/tabler-icons/sprite.svg")
    return format_html('<svg class="icon {}" aria-hidden="true"><use href="{}#{}"></use></svg>', css, sprite, name)


@register.filter
def exact(at: datetime) -> str:
    """Return a time to the minute in ISO 8601, which both languages use; much faster than Django's formatting."""
    return timezone.localtime(at).isoformat(" ", "minutes")[:16]


@register.filter
def nearby(at: datetime, now: datetime | None = None) -> str:
    """Return a time within two weeks in words (“23 min ago”, “in 3 days”), else the date."""
    age = (now or timezone.now()) - at
    distance = abs(age)
    if distance > WORDS_FOR:
        return timezone.localtime(at).date().isoformat()
    if distance >= DAY:
        words = {"n": distance.days}
        if age < NONE:
            return ngettext("in %(n)d day", "in %(n)d days", distance.days) % words
        return ngettext("%(n)d day ago", "%(n)d days ago", distance.days) % words
    # A near future rounds up to a minute. Up to ten seconds ahead counts as now: the clocks of two servers may differ.
    minutes = max(int(distance.total_seconds() // 60), age < -CLOCKS_DIFFER)
    if minutes >= HOUR:
        return (_("in %(n)d h") if age < NONE else _("%(n)d h ago")) % {"n": minutes // HOUR}
    if minutes:
        return (_("in %(n)d min") if age < NONE else _("%(n)d min ago")) % {"n": minutes}
    return _("just now")


@register.filter
def toast_links(message: Message) -> dict[str, str]:
    """Return the links of a Django message. Its extra tags hold undo_url, link_url and link_text as a query string."""
    return dict(parse_qsl(message.extra_tags or ""))
