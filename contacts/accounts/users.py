"""The accounts: made, given a role and closed by an administrator; nobody signs up by themselves."""

import secrets
from dataclasses import dataclass

from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from contacts.accounts import email_change
from contacts.models import User
from salesconnect.lib.actor import Actor
from salesconnect.lib.errors import Conflict, Invalid, Missing


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user just made, and the password to hand over; it is not stored in readable form."""

    user: User
    password: str


@transaction.atomic
def create(
    username: str, role: str, *, actor: Actor, email: str = "", password: str | None = None, weak: bool = False
) -> NewUser:
    """Make a user; a password is generated (96 random bits) when none is given, and a `weak` one taken if allowed.

    Raises `Invalid` for a name that is taken or malformed, an unknown role, a bad address, a weak password.
    """
    actor.require_recent("manage_users")
    user = User(username=username.strip(), email=email.strip(), role=role)
    chosen = password or secrets.token_urlsafe(12)
    user.set_password(chosen)
    try:
        if password and not weak:
            password_validation.validate_password(password, user)
        user.full_clean()
        user.email = email_change.checked(user.email, None) if user.email else ""
    except ValidationError as problem:
        fields = problem.message_dict if hasattr(problem, "error_dict") else {"password": problem.messages}
        raise Invalid(fields) from None
    user.save()
    return NewUser(user, chosen)


@transaction.atomic
def change(user_id: int, *, role: str, active: bool, actor: Actor, email: str | None = None) -> User:
    """Set a user's role, whether the account is open, and the address unless `email` is None; the old one is told.

    A closed account keeps its name in the history. Raises `Conflict` (`last_administrator`) when nobody would be left
    to administer, and `Invalid` for an address that is none or another user's.
    """
    actor.require_recent("manage_users")
    # Administrators are locked in one order, so that two of them cannot demote each other at once.
    others = set(_administrators().select_for_update().order_by("pk").values_list("pk", flat=True)) - {user_id}
    user = User.objects.select_for_update().filter(pk=user_id).first()
    if user is None:
        raise Missing
    if role not in User.Role.values:
        raise Invalid({"role": [_("There is no such role.")]})
    if not others and not (active and role == User.Role.ADMINISTRATOR):
        raise Conflict("last_administrator", _("Somebody must remain who can administer: make another one first."))
    user.role, user.is_active = role, active
    user.save(update_fields=["role", "is_active"])
    if email is not None:
        email_change.assign(user, email.strip())
    if not active:
        user.tokens.all().delete()
    return user


def _administrators() -> QuerySet[User]:
    return User.objects.filter(role=User.Role.ADMINISTRATOR, is_active=True)
