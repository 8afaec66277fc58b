"""The team's own settings: its name, how to reach it, the words around the link."""

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
    """Return the settings, those of a new installation before anybody stored some."""
    return TeamSettings.objects.filter(pk=1).first() or TeamSettings()


def name(team: TeamSettings) -> str:
    return team.company_name or DEFAULT_NAME


def words(team: TeamSettings, language: str) -> str:
    """Return the words around the link in a language, merge fields included: the team's, else the default."""
    own: str = getattr(team, f"words_{language}", "")
    return own.strip() or default_words(language)


def default_words(language: str) -> str:
    """Return the words around the link of a team that has none of its own."""
    with override(language):
        return _t(
            "You get this mail from {{ our_company }}. If you want no more of it, follow this link: "
            "{{ unsubscribe_link }}"
        )


@transaction.atomic
def change(values: Mapping[str, Any], *, actor: Actor) -> Outcome:
    """Store settings by field name; names that are absent stay as they are.

    Raises `Invalid` for a merge field that the words around the link cannot have.
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
