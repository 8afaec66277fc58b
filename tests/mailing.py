"""A real SMTP server that takes real mails, and people who may be mailed."""

import asyncio
import email
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from tests.interleaving import apart
from unsubscribes.mail import mailing
from unsubscribes.mail.compose import Draft

DRAFT = Draft("Hello {{ first_name }}", "Dear {{ first_name }} {{ last_name }},\n\nwe have news.")


@dataclass
class Inbox:
    """What the server has taken, as parsed mails; `answers` are given to the next ones instead of taking them.

    `meanwhile` is what happens elsewhere, in a connection of its own, before the server answers a command.
    """

    mails: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    sessions: set[int] = field(default_factory=set)
    seconds: float = 0
    meanwhile: dict[str, Callable[[], object]] = field(default_factory=dict)

    async def _wait_for(self, command: str) -> None:
        if happens := self.meanwhile.pop(command, None):
            await asyncio.to_thread(apart, happens)

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        await self._wait_for("EHLO")
        session.host_name = hostname
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        await self._wait_for("MAIL")
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        await self._wait_for("RCPT")
        if self.answers and self.answers[0].startswith("rcpt "):
            return self.answers.pop(0).removeprefix("rcpt ")
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        await self._wait_for("DATA")
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            self.mails.append(email.message_from_bytes(envelope.content, policy=default))
            self.raw.append(envelope.original_content)
            self.recipients += envelope.rcpt_tos
            self.sessions.add(id(session))
        if answer.endswith("and gone"):
            server.transport.abort()
        time.sleep(self.seconds)
        return answer


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, str, int]]:
    """Return what a running SMTP server takes, with its host and port."""
    taken = Inbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host, port = free.getsockname()
    controller = Controller(taken, hostname=host, port=port)
    controller.start()
    yield taken, host, port
    controller.stop()


@pytest.fixture
def server(inbox, settings) -> Inbox:
    """Return what the mail server of the settings takes."""
    taken, settings.EMAIL_HOST, settings.EMAIL_PORT = inbox
    settings.EMAIL_BACKEND = "unsubscribes.mail.sending.backends.SmtpBackend"
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    return taken


@pytest.fixture
def anna(person):
    """Return somebody who may be mailed."""
    return person(
        first_name="Anna",
        last_name="Berg",
        email="Anna.Berg@Example.com",
        authorization=Authorization(AuthorizationType.CONTRACT),
    )


@pytest.fixture
def many(person) -> Callable[[int], list]:
    """Return a function that creates so many people who may be mailed."""

    def create(number: int) -> list:
        contract = Authorization(AuthorizationType.CONTRACT)
        return [
            person(first_name=f"No{place}", email=f"p{place}@example.com", authorization=contract)
            for place in range(number)
        ]

    return create


@pytest.fixture
def written(anna, member):
    """Return a message to Anna that waits to be sent."""
    return mailing.write_to_one(anna.pk, DRAFT, actor=member)
