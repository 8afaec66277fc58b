"""Our two email backends: SMTP that knows how far a transmission got, and a stand-in without a server."""

import smtplib
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend
from django.utils.module_loading import import_string

SEND_IT = 354
"""The reply "start mail input" after DATA (RFC 5321, 4.2.3)."""


class OutboxBackend(BaseEmailBackend):
    """The backend without a mail server: nothing is sent, and messages wait as rows."""

    keeps = True

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        return 0


def has_server() -> bool:
    """Tell whether a backend is configured that sends mail."""
    return not getattr(import_string(settings.EMAIL_BACKEND), "keeps", False)


def is_reply(code: int) -> bool:
    """Tell whether a code is a valid SMTP reply; smtplib uses -1 for one it cannot parse."""
    return 200 <= code < 600  # noqa: PLR2004 - RFC 5321, 4.2.1


class Withheld(Exception):  # noqa: N818 - nothing went wrong
    """The mail was not transmitted, because the gate had closed meanwhile."""


class _TracksHandover:
    """Asks before the content of a mail is transmitted, and records when that starts.

    If the connection breaks after that, it is unknown whether the server has accepted the mail.
    """

    handed_over = False
    may_leave: Callable[[], bool] | None = None

    def getreply(self) -> tuple[int, bytes]:
        """Read the server's reply; after code 354 smtplib transmits the content."""
        code, said = super().getreply()  # type: ignore[misc]
        self.handed_over = self.handed_over or code == SEND_IT
        return code, said

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Transmit the content and return the server's answer. Raises `Withheld`."""
        if self.may_leave and not self.may_leave():
            raise Withheld
        code, said = super().data(msg)  # type: ignore[misc]
        self.handed_over = not is_reply(code)
        return code, said


class _Smtp(_TracksHandover, smtplib.SMTP):
    """SMTP, unencrypted or with STARTTLS."""


class _SmtpOverTls(_TracksHandover, smtplib.SMTP_SSL):
    """SMTP over TLS from the first byte."""


class SmtpBackend(EmailBackend):
    """Django's SMTP backend; it can tell whether the content of a mail was transmitted before the connection broke."""

    may_leave: Callable[[], bool] | None = None
    """Called before the content of each mail is transmitted; False withholds the mail."""

    def open(self) -> bool | None:
        # EHLO now, not with the first mail: the greeting may take long, and the next command names the recipient.
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
        """Tell whether the server may have the content of a mail for which it has not replied."""
        return bool(getattr(self.connection, "handed_over", False))
