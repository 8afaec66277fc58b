import smtplib

import pytest
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from unsubscribes.mail.sending.transport import DeliveryResult, Transport


class ProviderError(OSError):
    def __init__(self, status_code):
        super().__init__(f"status {status_code}")
        self.status_code = status_code


class Failing(BaseEmailBackend):
    """A backend that raises what it is told to."""

    problem: Exception
    handed_over = False

    def send_messages(self, email_messages):
        raise self.problem


@pytest.mark.parametrize(
    ("problem", "handed_over", "fate"),
    [
        (smtplib.SMTPRecipientsRefused({"a": (550, b"no"), "b": (450, b"later")}), False, DeliveryResult.LATER),
        (smtplib.SMTPRecipientsRefused({"a": (550, b"no")}), False, DeliveryResult.REFUSED),
        (smtplib.SMTPDataError(451, b"later"), True, DeliveryResult.AWAY),
        (smtplib.SMTPDataError(554, b"spam"), True, DeliveryResult.REFUSED),
        (smtplib.SMTPSenderRefused(530, b"sign in first", "a"), False, DeliveryResult.AWAY),
        (smtplib.SMTPAuthenticationError(535, b"no"), False, DeliveryResult.AWAY),
        (
            smtplib.SMTPRecipientsRefused({"a": (550, b"5.4.5 Daily user sending limit exceeded")}),
            False,
            DeliveryResult.AWAY,
        ),
        (
            smtplib.SMTPDataError(554, b"5.7.0 The limit on the number of allowed outgoing messages"),
            True,
            DeliveryResult.AWAY,
        ),
        (smtplib.SMTPDataError(554, b"5.2.0 SubmissionQuotaExceeded"), True, DeliveryResult.AWAY),
        (smtplib.SMTPSenderRefused(552, b"5.3.4 too big", "a"), False, DeliveryResult.REFUSED),
        (smtplib.SMTPNotSupportedError("SMTPUTF8 not supported by server"), False, DeliveryResult.REFUSED),
        (smtplib.SMTPNotSupportedError("STARTTLS extension not supported by server."), False, DeliveryResult.AWAY),
        (smtplib.SMTPServerDisconnected("gone"), False, DeliveryResult.AWAY),
        (TimeoutError("timed out"), False, DeliveryResult.AWAY),
        (smtplib.SMTPServerDisconnected("gone"), True, DeliveryResult.UNKNOWN),
        (TimeoutError("timed out"), True, DeliveryResult.UNKNOWN),
        (ProviderError(401), True, DeliveryResult.AWAY),
        (ProviderError(429), True, DeliveryResult.AWAY),
        (ProviderError(503), True, DeliveryResult.AWAY),
        (ProviderError(500), True, DeliveryResult.UNKNOWN),
        (ProviderError(422), True, DeliveryResult.REFUSED),
        (UnicodeEncodeError("ascii", "å", 0, 1, "no"), False, DeliveryResult.REFUSED),
        (RuntimeError("what now"), True, DeliveryResult.UNKNOWN),
    ],
)
def test_each_failure_has_its_fate(monkeypatch, settings, problem, handed_over, fate):
    settings.EMAIL_BACKEND = f"{__name__}.Failing"
    monkeypatch.setattr(Failing, "problem", problem, raising=False)
    monkeypatch.setattr(Failing, "handed_over", handed_over)
    with Transport() as carrier:
        assert carrier.carry(EmailMessage("s", "b", to=["a@example.com"]), lambda: True)[0] is fate


def test_a_server_that_is_not_there_is_away(settings):
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = (
        "unsubscribes.mail.sending.backends.SmtpBackend",
        "127.0.0.1",
        1,
    )
    with Transport() as carrier:
        fate, said = carrier.carry(EmailMessage("s", "b", to=["a@example.com"]), lambda: True)
    assert (fate, "refused" in said) == (DeliveryResult.AWAY, True)
