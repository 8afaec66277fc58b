"""The team's settings: its name, contact address and unsubscribe footer."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _t
from django.utils.translation import override

from salesconnect.lib.actor import Actor
from salesconnect.lib.errors import Invalid
from salesconnect.lib.outcome import Outcome
from unsubscribes.mail.merge_fields import unknown_fields
from unsubscribes.models import TeamSettings

DEFAULT_NAME = "Sales Connect"
WORDS_FIELDS = {"our_company", "unsubscribe_link"}
WORDS = tuple(f"words_{code}" for code, _language in settings.LANGUAGES)
FIELDS = ("company_name", "contact_address", *WORDS)


def current() -> TeamSettings:
    """Return the settings, or the defaults before any are stored."""
    return TeamSettings.objects.filter(pk=1).first() or TeamSettings()


def name(team: TeamSettings) -> str:
    return team.company_name or DEFAULT_NAME


def words(team: TeamSettings, language: str) -> str:
    """Return the unsubscribe footer in a language, with merge fields: the team's own, else the default."""
    own: str = getattr(team, f"words_{language}", "")
    return own.strip() or default_words(language)


def default_words(language: str) -> str:
    with override(language):
        return _t("You’re receiving this email from {{ our_company }}. To stop receiving it: {{ unsubscribe_link }}")


@transaction.atomic
def change(values: Mapping[str, Any], *, actor: Actor) -> Outcome:
    """Store settings by field name; absent ones stay as they are.

    Raises `Invalid` for a merge field that the footer does not support.
    """
    actor.require_recent("edit_team")
    _check_words(values)
    stored, _created = TeamSettings.objects.select_for_update().get_or_create(pk=1)
    changed = [field for field in FIELDS if field in values and getattr(stored, field) != values[field]]
    for field in changed:
        setattr(stored, field, values[field])
    stored.save(update_fields=changed)
    return Outcome(changed=1) if changed else Outcome(unchanged=1)


def _check_words(values: Mapping[str, Any]) -> None:
    errors = {
        field: [_t("There is no merge field “%(name)s”.") % {"name": name} for name in unknown]
        for field in WORDS
        if (unknown := unknown_fields(str(values.get(field, "")), WORDS_FIELDS))
    }
    if errors:
        raise Invalid(errors)
