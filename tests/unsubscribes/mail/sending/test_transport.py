import smtplib

import pytest
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from unsubscribes.mail.sending.transport import Carrier, Fate


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
        (smtplib.SMTPRecipientsRefused({"a": (550, b"no"), "b": (450, b"later")}), False, Fate.LATER),
        (smtplib.SMTPRecipientsRefused({"a": (550, b"no")}), False, Fate.REFUSED),
        (smtplib.SMTPDataError(451, b"later"), True, Fate.AWAY),
        (smtplib.SMTPDataError(554, b"spam"), True, Fate.REFUSED),
        (smtplib.SMTPSenderRefused(530, b"sign in first", "a"), False, Fate.AWAY),
        (smtplib.SMTPAuthenticationError(535, b"no"), False, Fate.AWAY),
        (smtplib.SMTPRecipientsRefused({"a": (550, b"5.4.5 Daily user sending limit exceeded")}), False, Fate.AWAY),
        (smtplib.SMTPDataError(554, b"5.7.0 The limit on the number of allowed outgoing messages"), True, Fate.AWAY),
        (smtplib.SMTPDataError(554, b"5.2.0 SubmissionQuotaExceeded"), True, Fate.AWAY),
        (smtplib.SMTPSenderRefused(552, b"5.3.4 too big", "a"), False, Fate.REFUSED),
        (smtplib.SMTPNotSupportedError("SMTPUTF8 not supported by server"), False, Fate.REFUSED),
        (smtplib.SMTPNotSupportedError("STARTTLS extension not supported by server."), False, Fate.AWAY),
        (smtplib.SMTPServerDisconnected("gone"), False, Fate.AWAY),
        (TimeoutError("timed out"), False, Fate.AWAY),
        (smtplib.SMTPServerDisconnected("gone"), True, Fate.UNKNOWN),
        (TimeoutError("timed out"), True, Fate.UNKNOWN),
        (ProviderError(401), True, Fate.AWAY),
        (ProviderError(429), True, Fate.AWAY),
        (ProviderError(503), True, Fate.AWAY),
        (ProviderError(500), True, Fate.UNKNOWN),
        (ProviderError(422), True, Fate.REFUSED),
        (UnicodeEncodeError("ascii", "å", 0, 1, "no"), False, Fate.REFUSED),
        (RuntimeError("what now"), True, Fate.UNKNOWN),
    ],
)
def test_each_failure_has_its_fate(monkeypatch, settings, problem, handed_over, fate):
    settings.EMAIL_BACKEND = f"{__name__}.Failing"
    monkeypatch.setattr(Failing, "problem", problem, raising=False)
    monkeypatch.setattr(Failing, "handed_over", handed_over)
    with Carrier() as carrier:
        assert carrier.carry(EmailMessage("s", "b", to=["a@example.com"]), lambda: True)[0] is fate


def test_a_server_that_is_not_there_is_away(settings):
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = (
        "unsubscribes.mail.sending.backends.SmtpBackend",
        "127.0.0.1",
        1,
    )
    with Carrier() as carrier:
        fate, said = carrier.carry(EmailMessage("s", "b", to=["a@example.com"]), lambda: True)
    assert (fate, "refused" in said) == (Fate.AWAY, True)
