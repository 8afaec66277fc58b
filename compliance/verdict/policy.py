"""The team's policy: what each reason does to the verdict, which version was in force when, and how it changes."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction

from compliance.models import Policy
from compliance.verdict.reason_registry import DECIDED, MONTHS
from salesconnect.lib.actor import Actor
from salesconnect.lib.errors import Invalid
from salesconnect.lib.outcome import Outcome

FIELDS = (*DECIDED, *(months.name for months in MONTHS))
LOCK = "SELECT pg_advisory_xact_lock(hashtext('compliance.policy'))"


def current() -> Policy:
    """Return the policy in force, that of a new installation before anybody changed it."""
    return Policy.objects.first() or Policy()


def at(moment: dt.datetime) -> Policy:
    """Return the policy that was in force at a moment: a past verdict is judged by it."""
    return Policy.objects.filter(since__lte=moment).first() or Policy()


def versions() -> list[Policy]:
    """Return every version that was ever in force, newest first, each with the one it replaced as `before`."""
    found = list(Policy.objects.all())
    for version, older in zip(found, [*found[1:], Policy()], strict=False):
        version.before = older  # type: ignore[attr-defined] # for the page that lists them
    return found


@transaction.atomic
def change(values: Mapping[str, Any], *, actor: Actor) -> Outcome:
    """Put a new version in force, by field name; what is absent stays. No version is ever changed or removed.

    Raises `Forbidden`, and `Invalid` for an effect that there is not or months outside 1 to 120.
    """
    actor.require_recent("edit_policy")
    with connection.cursor() as cursor:
        cursor.execute(LOCK)
    old = current()
    wanted = {name: getattr(old, name) for name in FIELDS} | dict(values)
    if not differences(old, new := Policy(**wanted, user_id=actor.user_id, actor_name=actor.name)):
        return Outcome(unchanged=1)
    try:
        new.full_clean(exclude=["since", "user"])
    except ValidationError as problem:
        raise Invalid({name: list(messages) for name, messages in problem.message_dict.items()}) from None
    new.save()
    return Outcome(changed=1)


def differences(old: Policy, new: Policy) -> list[str]:
    return [name for name in FIELDS if getattr(old, name) != getattr(new, name)]
