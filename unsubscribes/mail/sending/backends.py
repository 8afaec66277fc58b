"""The two email backends of our own: SMTP that knows how far it came, and no server at all."""

import smtplib
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend
from django.utils.module_loading import import_string

SEND_IT = 354
"""The reply that asks for a mail's content, and only that (RFC 5321, 4.2.3)."""


class OutboxBackend(BaseEmailBackend):
    """Without a mail server nothing is sent: a message's own row is the outbox, and other mail is not written."""

    keeps = True

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Return 0: nothing was sent."""
        return 0


def has_server() -> bool:
    """Tell whether there is a mail server, or whatever else the environment names, that takes mail away."""
    return not getattr(import_string(settings.EMAIL_BACKEND), "keeps", False)


def is_reply(code: int) -> bool:
    """Tell whether a server's answer tells the fate of a mail at all; what cannot be read is -1 in smtplib."""
    return 200 <= code < 600  # noqa: PLR2004 - RFC 5321, 4.2.1


class Withheld(Exception):  # noqa: N818 - nothing went wrong
    """The mail was not handed over, for meanwhile it was not to leave any more."""


class _TracksHandover:
    """Asks before a mail's content goes over, and notes when: a connection that breaks then leaves its fate unknown."""

    handed_over = False
    may_leave: Callable[[], bool] | None = None

    def getreply(self) -> tuple[int, bytes]:
        """Return the server's reply; after the one that asks for the content, the content goes over."""
        code, said = super().getreply()  # type: ignore[misc]
        self.handed_over = self.handed_over or code == SEND_IT
        return code, said

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Hand the content over and return the server's answer. Raises `Withheld`."""
        if self.may_leave and not self.may_leave():
            raise Withheld
        code, said = super().data(msg)  # type: ignore[misc]
        self.handed_over = not is_reply(code)
        return code, said


class _Smtp(_TracksHandover, smtplib.SMTP):
    """SMTP, in the clear or by STARTTLS."""


class _SmtpOverTls(_TracksHandover, smtplib.SMTP_SSL):
    """SMTP over TLS from the first byte."""


class SmtpBackend(EmailBackend):
    """Django's SMTP backend that can tell whether a broken connection had already taken the mail's content."""

    may_leave: Callable[[], bool] | None = None
    """Asked before the content of each mail; set by who sends mail that may have to stay."""

    def open(self) -> bool | None:
        """Open as Django does, and hear the server's greeting to the end: what follows names the address."""
        opened = super().open()
        if opened and self.connection:
            self.connection.ehlo_or_helo_if_needed()
        return opened

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        if isinstance(self.connection, _TracksHandover):
            self.connection.may_leave = self.may_leave
        return super().send_messages(email_messages)

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _SmtpOverTls if self.use_ssl else _Smtp

    @property
    def handed_over(self) -> bool:
        """Tell whether the server has, or may have, the content of a mail that it has not answered."""
        return bool(getattr(self.connection, "handed_over", False))
