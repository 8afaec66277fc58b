"""The few template tags of the interface: icons, times in words, what a message links to."""

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
    """Return the decorative icon `name` of the sprite; the words beside it, or an aria-label, carry the meaning."""
    sprite = static("vendor/tabler-icons/sprite.svg")
    return format_html('<svg class="icon {}" aria-hidden="true"><use href="{}#{}"></use></svg>', css, sprite, name)


@register.filter
def exact(at: datetime) -> str:
    """Return a time to the minute, as ISO 8601 and both languages write it; Django's own formatting is far slower."""
    return timezone.localtime(at).isoformat(" ", "minutes")[:16]


@register.filter
def nearby(at: datetime, now: datetime | None = None) -> str:
    """Return a time in few words when it is within two weeks (“23 min ago”, “in 3 days”), else its date."""
    age = (now or timezone.now()) - at
    distance = abs(age)
    if distance > WORDS_FOR:
        return timezone.localtime(at).date().isoformat()
    if distance >= DAY:
        words = {"n": distance.days}
        if age < NONE:
            return ngettext("in %(n)d day", "in %(n)d days", distance.days) % words
        return ngettext("%(n)d day ago", "%(n)d days ago", distance.days) % words
    # What comes soon is not yet now; that two clocks differ by a little is.
    minutes = max(int(distance.total_seconds() // 60), age < -CLOCKS_DIFFER)
    if minutes >= HOUR:
        return (_("in %(n)d h") if age < NONE else _("%(n)d h ago")) % {"n": minutes // HOUR}
    if minutes:
        return (_("in %(n)d min") if age < NONE else _("%(n)d min ago")) % {"n": minutes}
    return _("just now")


@register.filter
def toast_links(message: Message) -> dict[str, str]:
    """Return the links of a Django message: its extra tags are a query string of undo_url, link_url and link_text."""
    return dict(parse_qsl(message.extra_tags or ""))
