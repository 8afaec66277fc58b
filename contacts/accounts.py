"""Accounts: nobody signs up by themselves; an administrator or `create_user` makes users."""

import time

from allauth.account.adapter import DefaultAccountAdapter, get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.reauthentication import reauthenticate_by_password
from django.http import HttpRequest

RECENT_SECONDS = 10 * 60


class AccountAdapter(DefaultAccountAdapter):
    """Close the sign-up that allauth offers."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False: accounts are given, not taken."""
        return False


def signed_in_recently(request: HttpRequest) -> bool:
    """Tell whether it was shown in this session, within ten minutes, who sits there."""
    shown = get_authentication_records(request, request.user)
    return any(time.time() - each["at"] < RECENT_SECONDS for each in shown)


def confirm_password(request: HttpRequest, password: str) -> None:
    """Take the user's password as a sign-in anew; it is throttled as the sign-in is.

    Raises `ValidationError` for a wrong one, and after too many wrong ones for any.
    """
    adapter = get_adapter()
    if not adapter.reauthenticate(request.user, password):
        raise adapter.validation_error("incorrect_password")
    reauthenticate_by_password(request)
