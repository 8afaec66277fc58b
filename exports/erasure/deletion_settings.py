"""The team's deletion settings: how long erased addresses are remembered, and when a second administrator approves."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from dateutil.relativedelta import relativedelta
from django.core.exceptions import ValidationError
from django.utils import timezone

from exports.models import DeletionSettings
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.transactions import act
from salesconnect.lib.errors import Invalid
from salesconnect.lib.outcome import Outcome

FIELDS = ("erased_months", "approval_above")


def current() -> DeletionSettings:
    """Return the settings; the defaults, unsaved, before anybody has stored some."""
    return DeletionSettings.objects.filter(pk=1).first() or DeletionSettings(pk=1)


def remembered_until() -> dt.datetime:
    """Return until when an address is remembered if its owner is erased on request now."""
    return timezone.now() + relativedelta(months=current().erased_months)


@act
def change(values: Mapping[str, Any], *, actor: Actor) -> Outcome:
    """Store settings by field name; names that are absent stay as they are. Raises `Forbidden` and `Invalid`."""
    actor.require_recent("edit_retention")
    stored, _created = DeletionSettings.objects.select_for_update().get_or_create(pk=1)
    changed = [name for name in FIELDS if name in values and getattr(stored, name) != values[name]]
    for name in changed:
        setattr(stored, name, values[name])
    try:
        stored.full_clean()
    except ValidationError as problem:
        raise Invalid({name: list(map(str, texts)) for name, texts in problem.message_dict.items()}) from None
    stored.save()
    return Outcome(changed=1) if changed else Outcome(unchanged=1)
