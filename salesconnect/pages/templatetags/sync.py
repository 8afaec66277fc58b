"""Template filters for the sync: durations and codes in words."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from django import template
from django.utils import timezone
from django.utils.text import get_text_list
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from salesconnect.common.sync_words import code_words
from unsubscribes.crm.models import SyncRun

MINUTE = 60
register = template.Library()


@register.filter
def lag(seconds: int) -> str:
    if seconds < MINUTE:
        return ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds}
    now = timezone.now()
    return timesince(now - dt.timedelta(seconds=seconds), now, depth=1)


@register.filter
def how_long(run: SyncRun) -> str:
    """Return how long a run took or has been running; empty before it began."""
    if run.started_at is None:
        return ""
    taken = (run.finished_at or timezone.now()) - run.started_at
    return lag(int(taken.total_seconds())) if taken >= dt.timedelta(seconds=1) else _("under a second")


@register.filter
def code_what(code: str, crm: str) -> str:
    return code_words(code, str(crm)).what


@register.filter
def one_of(names: Iterable[str]) -> str:
    return get_text_list(list(names), _("or"))


@register.filter
def each_of(names: Iterable[str]) -> str:
    return get_text_list(list(names), _("and"))


@register.filter
def host(url: str) -> str:
    return urlsplit(url).netloc


@register.filter
def at(mapping: Mapping[str, Any], key: str) -> Any:
    """Look a key up that is a template variable, which Django's dot syntax cannot."""
    return mapping.get(key)
