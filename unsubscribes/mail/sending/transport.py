"""Sends mails over one connection to the mail server, and classifies the result of each."""

import contextlib
import smtplib
from collections.abc import Callable
from enum import Enum
from types import TracebackType
from typing import Self

from django.core.mail import EmailMessage, get_connection
from django.db import Error as DatabaseTrouble

from unsubscribes.mail.sending.backends import SmtpBackend, Withheld, is_reply
from unsubscribes.mail.sending.refusals import RefusedBecauseOf, cause_of_refusal

OUR_ACCOUNT_STATUSES = {401, 402, 403, 404, 405, 407, 408, 425, 429, 503}
"""HTTP statuses of a provider that concern our account or its service, so that any mail would get the same."""
PERMANENT = 500


class DeliveryResult(Enum):
    SENT = "sent"
    LATER = "later"  # not sent; a later attempt may succeed
    AWAY = "away"  # not sent, and no other mail would be: the server or our account has a problem
    REFUSED = "refused"  # refused for good
    UNKNOWN = "unknown"  # the content was transmitted, but the server did not reply
    WITHHELD = "withheld"  # not sent: the gate had closed by the time the server was ready


class Transport:
    """Sends mails one after the other; opens the connection for the first one, and again after an error."""

    def __init__(self) -> None:
        self.backend = get_connection()
        # Whether the server has replied about any mail on this connection.
        self.proven = False
        # Whether the last refusal concerned the message, and so says nothing about the address.
        self.of_the_message = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._close()

    def carry(self, mail: EmailMessage, may_leave: Callable[[], bool]) -> tuple[DeliveryResult, str]:
        """Send one mail; returns the result and the server's reply.

        Opening the connection may take long, so `may_leave` is asked after it, before the address is disclosed. Our
        SMTP backend asks again before it transmits the content, the last moment at which a mail can be stopped.
        """
        try:
            self.backend.open()
        except Exception as problem:  # noqa: BLE001 - whatever keeps the connection from opening is no mail's fault
            self._close()
            return DeliveryResult.AWAY, _said(problem)
        if not may_leave():
            return DeliveryResult.WITHHELD, ""
        if isinstance(self.backend, SmtpBackend):
            self.backend.may_leave = may_leave
        try:
            self.backend.send_messages([mail])
        except Withheld:
            self._close()
            return DeliveryResult.WITHHELD, ""
        except DatabaseTrouble:
            self._close()
            raise
        except Exception as problem:  # noqa: BLE001 - whatever a backend raises is the fate of this mail
            self.of_the_message = _of_the_message(problem)
            fate = _fate(problem, handed_over=getattr(self.backend, "handed_over", True))
            self._close()
            return fate, _said(problem)
        return DeliveryResult.SENT, ""

    def _close(self) -> None:
        with contextlib.suppress(OSError):
            self.backend.close()


def _fate(problem: Exception, *, handed_over: bool) -> DeliveryResult:
    fate: DeliveryResult | None = None
    if isinstance(problem, smtplib.SMTPDataError) and not is_reply(problem.smtp_code):
        pass  # whatever the server said, it does not tell what it did with the content
    elif isinstance(problem, smtplib.SMTPException):
        fate = _of_smtp(problem)
    elif isinstance(problem, ValueError):
        fate = DeliveryResult.REFUSED  # what cannot stand in a header or an address
    elif status := getattr(problem, "status_code", None):
        fate = _of_status(status)
    if fate is None and (_never_connected(problem) or (_broke_off(problem) and not handed_over)):
        fate = DeliveryResult.AWAY
    return fate or (DeliveryResult.UNKNOWN if handed_over else DeliveryResult.LATER)


def _of_smtp(problem: smtplib.SMTPException) -> DeliveryResult | None:
    """Classify an SMTP error by the server's reply; None if the connection broke without one."""
    match problem:
        case smtplib.SMTPRecipientsRefused():
            fates = [_of_reply(code, said) for code, said in problem.recipients.values()]
            return next(
                fate for fate in (DeliveryResult.AWAY, DeliveryResult.LATER, DeliveryResult.REFUSED) if fate in fates
            )
        case smtplib.SMTPDataError():
            return _of_reply(problem.smtp_code, problem.smtp_error, at_data=True)
        case smtplib.SMTPSenderRefused() if (
            cause_of_refusal(problem.smtp_code, _text(problem.smtp_error)) is RefusedBecauseOf.MESSAGE
        ):
            return DeliveryResult.REFUSED  # too large, which the server knows from the announcement
        case smtplib.SMTPNotSupportedError() if "SMTPUTF8" in str(problem):
            return DeliveryResult.REFUSED  # only this address needs it
        case smtplib.SMTPResponseException() | smtplib.SMTPNotSupportedError():
            return DeliveryResult.AWAY  # the server refuses us, not the recipient
    return None


def _broke_off(problem: Exception) -> bool:
    return isinstance(problem, smtplib.SMTPException | ConnectionError | TimeoutError)


def _of_the_message(problem: Exception) -> bool:
    match problem:
        case smtplib.SMTPRecipientsRefused():
            return all(
                cause_of_refusal(code, _text(said)) is RefusedBecauseOf.MESSAGE
                for code, said in problem.recipients.values()
            )
        case smtplib.SMTPResponseException():
            at_data = isinstance(problem, smtplib.SMTPDataError)
            return (
                cause_of_refusal(problem.smtp_code, _text(problem.smtp_error), at_data=at_data)
                is RefusedBecauseOf.MESSAGE
            )
    return isinstance(problem, ValueError | smtplib.SMTPNotSupportedError)


def _of_reply(code: int, said: bytes | str, *, at_data: bool = False) -> DeliveryResult:
    """Classify an SMTP reply: 4yz is transient, 5yz permanent (RFC 5321, 4.2.1), unless it is about the sender."""
    if cause_of_refusal(code, _text(said), at_data=at_data) is RefusedBecauseOf.SENDER:
        return DeliveryResult.AWAY
    return DeliveryResult.REFUSED if code >= PERMANENT else DeliveryResult.LATER


def _of_status(status: int) -> DeliveryResult:
    """Classify the HTTP status of a provider; after a 5xx it is unknown whether it took the mail."""
    if status in OUR_ACCOUNT_STATUSES:
        return DeliveryResult.AWAY
    return DeliveryResult.UNKNOWN if status >= PERMANENT else DeliveryResult.REFUSED


def _never_connected(problem: BaseException) -> bool:
    """Tell whether the provider's API was never reached, by the chain of causes: connection, DNS or TLS failed."""
    seen: set[int] = set()
    at: object = problem
    while isinstance(at, BaseException) and id(at) not in seen:
        seen.add(id(at))
        if type(at).__name__ in {"NewConnectionError", "NameResolutionError", "ConnectTimeoutError", "SSLError"}:
            return True
        if isinstance(at, ConnectionRefusedError):
            return True
        inner = next((each for each in at.args if isinstance(each, BaseException)), None)
        at = at.__cause__ or getattr(at, "reason", None) or inner
    return False


def _text(said: bytes | str) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)


def _said(problem: Exception) -> str:
    match problem:
        case smtplib.SMTPRecipientsRefused():
            said = next(iter(problem.recipients.values()))
        case smtplib.SMTPResponseException():
            said = (problem.smtp_code, problem.smtp_error)  # type: ignore[assignment] # bytes or text
        case _:
            return (str(problem) or type(problem).__name__).replace("\0", "")[:500]
    parts = (_text(part) if isinstance(part, bytes) else str(part) for part in said)
    return " ".join(parts).replace("\0", "")[:500]
