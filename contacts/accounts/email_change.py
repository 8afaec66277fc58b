"""Changing a user's own email address, to which password resets go.

Whoever takes over an open session must not take over the account: the user signs in again, opens a link sent to the
new address, and the old address is notified.
"""

import logging
import smtplib

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, get_connection
from django.core.validators import validate_email
from django.db import connection, transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from contacts.models import User
from salesconnect.lib.actor import Actor
from salesconnect.lib.errors import Conflict, Invalid, Missing

SALT = "contacts.email_change"
HOURS = 24
ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('contacts.user_email'))"
logger = logging.getLogger(__name__)


def propose(user_id: int, email: str, *, actor: Actor) -> None:
    """Mail the link that makes `email` the user's address; until it is opened nothing changes.

    Raises `SignInAgain`, `Invalid` for what is no address, is the present one or is somebody else's, and `Conflict`
    (`no_mail_server`, `mail_failed`).
    """
    actor.require_recent("view_people")
    user = _own(user_id, actor)
    email = checked(email, user_id)
    if email.casefold() == user.email.casefold():
        raise Invalid({"email": [_("This is your address already.")]})
    if not can_mail():
        raise Conflict("no_mail_server", _("No mail server is configured: ask an administrator to change the address."))
    token = signing.dumps({"user": user.pk, "from": user.email, "to": email}, salt=SALT, compress=True)
    link = f"{settings.SITE_URL}{reverse('email-confirm', args=[token])}"
    words = {"name": user.get_username(), "hours": HOURS, "link": link}
    body = _(
        "Open this link, signed in as %(name)s, within %(hours)d hours to make this the address of your account:"
        "\n\n%(link)s\n\nIf you did not ask for it, do nothing."
    )
    _send(_("Confirm your new address"), body % words, email)


def read(token: str, *, actor: Actor) -> str:
    """Return the address that a link would set. Raises `Missing` unless the link is whole, new and the actor's own."""
    try:
        wanted = signing.loads(token, salt=SALT, max_age=HOURS * 3600)
    except signing.BadSignature:
        raise Missing(_("This link is damaged, too old or used.")) from None
    user = User.objects.filter(pk=wanted["user"], is_active=True).first()
    if user is None or user.pk != actor.user_id or user.email != wanted["from"]:
        raise Missing(_("This link is damaged, too old or used."))
    return str(wanted["to"])


@transaction.atomic
def confirm(token: str, *, actor: Actor) -> User:
    """Make the address of a link the user's, and tell the old one. Raises what `read` and `assign` raise."""
    email = read(token, actor=actor)
    return assign(User.objects.select_for_update().get(pk=actor.user_id or 0), email)


def assign(user: User, email: str) -> User:
    """Store a user's address inside a transaction, and tell the old one; `old_address_told` says whether it was.

    Raises `Invalid`, `Conflict`.
    """
    before, email = user.email, checked(email, user.pk) if email else ""
    if email == before:
        return user
    user.email = email
    user.save(update_fields=["email"])
    if before:
        user.old_address_told = can_mail() and _tell_old(user, before)
    return user


def old_address_notice() -> str:
    """Return what is said to whoever has changed an address of which the old one was not told."""
    if can_mail():
        return _("The old address takes no mail, so it was not told of the change.")
    return _("No mail server is configured, so the old address was not told of the change.")


def checked(email: str, user_id: int | None) -> str:
    """Return an address without white space around it. Raises `Invalid` when it is none, or another user's.

    Inside a transaction it stays free until the end of that: users get their addresses one after another.
    """
    email = email.strip()
    try:
        validate_email(email)
    except ValidationError as problem:
        raise Invalid({"email": problem.messages}) from None
    if connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute(ONE_AT_A_TIME)
    if User.objects.filter(email__iexact=email).exclude(pk=user_id or 0).exists():
        raise Invalid({"email": [_("Another account has this address.")]})
    return email


def can_mail() -> bool:
    return not getattr(get_connection(), "keeps", False)


def _own(user_id: int, actor: Actor) -> User:
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None or actor.user_id != user_id:
        raise Missing
    return user


def _tell_old(user: User, before: str) -> bool:
    with translation.override(user.language or translation.get_language()):
        words = {"name": user.get_username(), "email": user.email or _("no address")}
        body = _(
            "The address of the account %(name)s was changed from this one to %(email)s. "
            "If it was not you, tell your administrator at once."
        )
        return _send(_("The address of your account was changed"), body % words, before, may_be_gone=True)


def _send(subject: str, body: str, to: str, *, may_be_gone: bool = False) -> bool:
    """Send a mail; returns False where nobody reads at an address that may be gone."""
    try:
        EmailMessage(subject, body + "\n", to=[to]).send()
    except smtplib.SMTPRecipientsRefused as refusal:
        if not may_be_gone:
            raise Invalid({"email": [_("The mail server refuses this address.")]}) from refusal
        # Nobody reads there any more, so nobody could be told: that must not bind a user to it for ever.
        logger.warning("The old address of a user takes no mail, so it was not told of the new one")
        return False
    except OSError as problem:
        logger.warning("The mail about a user's address could not be sent: %s", problem)
        raise Conflict(
            "mail_failed", _("The mail could not be sent, so nothing was changed. Try again later.")
        ) from None
    return True
