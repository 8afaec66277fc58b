"""One connection to the mail server for as many mails as it lasts, and what became of each."""

import contextlib
import smtplib
from enum import Enum
from types import TracebackType
from typing import Self

from django.core.mail import EmailMessage, get_connection

TRY_AGAIN = {408, 425, 429, 503}
PERMANENT = 500


class Fate(Enum):
    """What became of a mail."""

    SENT = "sent"
    LATER = "later"  # not sent, the same may work later
    AWAY = "away"  # not sent, and no other mail would be now
    REFUSED = "refused"  # not sent, and never will be
    UNKNOWN = "unknown"  # the server had it and did not answer


class Carrier:
    """Carries mails one after the other; opens the connection when the first comes and again after an error."""

    def __init__(self) -> None:
        self.backend = get_connection()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._close()

    @property
    def keeps(self) -> bool:
        """Tell whether there is no mail server, so that mails stay in the outbox."""
        return getattr(self.backend, "keeps", False)

    def carry(self, mail: EmailMessage) -> tuple[Fate, str]:
        """Hand one mail to the server; returns its fate and what the server said."""
        try:
            self.backend.open()
        except OSError as problem:  # SMTP's exceptions are among them
            self._close()
            return Fate.AWAY, _said(problem)
        try:
            self.backend.send_messages([mail])
        except Exception as problem:  # noqa: BLE001 - whatever a backend raises is the fate of this mail
            fate = _fate(problem, handed_over=getattr(self.backend, "handed_over", True))
            self._close()
            return fate, _said(problem)
        return Fate.SENT, ""

    def _close(self) -> None:
        with contextlib.suppress(OSError):
            self.backend.close()


def _fate(problem: Exception, *, handed_over: bool) -> Fate:
    match problem:
        case smtplib.SMTPRecipientsRefused():
            return _by_code(min(code for code, _said in problem.recipients.values()))
        case smtplib.SMTPDataError():
            return _by_code(problem.smtp_code)
        case smtplib.SMTPResponseException() | smtplib.SMTPNotSupportedError():
            return Fate.AWAY  # the server refuses us, not the recipient
        case ValueError():
            return Fate.REFUSED  # what cannot stand in a header or an address
        case _ if status := getattr(problem, "status_code", None):
            return _by_status(status)
    return Fate.UNKNOWN if handed_over else Fate.LATER


def _by_code(code: int) -> Fate:
    """Class an SMTP reply (RFC 5321, 4.2.1): 4yz is transient, 5yz permanent."""
    return Fate.REFUSED if code >= PERMANENT else Fate.LATER


def _by_status(status: int) -> Fate:
    """Class the HTTP status of a provider; after its own failure nobody knows what it did."""
    if status in TRY_AGAIN:
        return Fate.LATER
    return Fate.UNKNOWN if status >= PERMANENT else Fate.REFUSED


def _said(problem: Exception) -> str:
    match problem:
        case smtplib.SMTPRecipientsRefused():
            said = next(iter(problem.recipients.values()))
        case smtplib.SMTPResponseException():
            said = (problem.smtp_code, problem.smtp_error)  # type: ignore[assignment] # bytes or text
        case _:
            return (str(problem) or type(problem).__name__)[:500]
    return " ".join(str(part, errors="replace") if isinstance(part, bytes) else str(part) for part in said)[:500]
