"""The connected app and the access tokens that were given out."""

import secrets
from dataclasses import dataclass, field

from tests.salesforce_org.clock import Clock
from tests.salesforce_org.settings import Settings

CLIENT_ID = "3MVG9emulated.org.consumer.key"
CLIENT_SECRET = "an-emulated-consumer-secret"


@dataclass
class App:
    """An External Client App."""

    client_id: str = CLIENT_ID
    client_secret: str = CLIENT_SECRET
    run_as: str | None = None  # the user of the client-credentials flow
    public_key: str | None = None  # PEM of a key or a certificate, for the JWT flow
    approved: list[str] = field(default_factory=lambda: ["integration@acme.example"])
    audiences: list[str] = field(
        default_factory=lambda: [
            "https://login.salesforce.com",
            "https://test.salesforce.com",
            "https://acme.my.salesforce.com",
        ]
    )


@dataclass(frozen=True)
class Session:
    """An access token's user, number and end."""

    token: str
    user_id: str
    number: int
    ends: float


class Sessions:
    """Tokens by their text."""

    def __init__(self, clock: Clock, settings: Settings) -> None:
        self.clock, self.settings = clock, settings
        self.app = App()
        self._open: dict[str, Session] = {}
        self._count = 0

    def start(self, user_id: str, organization_id: str) -> Session:
        """Give out a token."""
        self._count += 1
        token = f"{organization_id[:15]}!{secrets.token_urlsafe(60)}"
        self._open[token] = Session(token, user_id, self._count, self.clock.time() + self.settings.token_seconds)
        return self._open[token]

    def find(self, token: str) -> Session | None:
        """Return the session of a token that is still good."""
        session = self._open.get(token)
        return session if session and session.ends > self.clock.time() else None

    def end_of(self, user_id: str) -> None:
        """End the sessions of a user."""
        self._open = {token: session for token, session in self._open.items() if session.user_id != user_id}

    def end(self, token: str | None = None) -> int:
        """End one session, or all; return how many."""
        ended = [token] if token in self._open else [] if token else list(self._open)
        for name in ended:
            del self._open[str(name)]
        return len(ended)
