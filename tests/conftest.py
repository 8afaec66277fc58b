"""Real servers for every test: PostgreSQL and Redis start with the first process that needs them."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import hypothesis
import pytest
from allauth.account.internal.flows.login import record_authentication
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.test import Client
from rest_framework.test import APIClient

from compliance.card.creation import create_person
from compliance.card.staging import NewPerson
from contacts.accounts import tokens
from contacts.events import partitions
from contacts.jobs.batches import user_actor
from contacts.models import User
from salesconnect import embedded
from salesconnect.lib.actor import Actor, system
from tests import database, order
from tests.exports.integrity.agreeing import differences
from tests.soak import KILLS, SEED, SOAK, sized

# Servers from Debian's packages, installed by `make soak` alone.
collect_ignore = [] if SOAK else ["cluster"]
# A real SMTP server and people who may be mailed; files of people to import.
pytest_plugins = ["tests.mailing", "tests.importing"]
_servers = ExitStack()

# How fast examples are made says how busy the machine is, nothing of the product.
hypothesis.settings.register_profile(
    "any machine",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
    max_examples=sized(100, 1_000),
)
hypothesis.settings.load_profile("any machine")


def pytest_configure(config: pytest.Config) -> None:
    """Hold the embedded servers for as long as this process tests; the last process to leave stops them."""
    # A shell that runs the tests in its background has made them deaf to Ctrl-C, and so what they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if settings.EMBEDDED_DATABASE or settings.EMBEDDED_REDIS:
        _servers.enter_context(embedded.hold(settings.DATA_DIR))
    if os.environ.get("RENEW_ORDER") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(order.Stopwatch())


def pytest_report_header(config: pytest.Config) -> str:
    """Say how this run can be repeated."""
    return f"soak: SOAK={SOAK} SOAK_SEED={SEED}" if SOAK else ""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many processes the random tests killed."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    kills = sum(number for report in reports for name, number in report.user_properties if name == KILLS)
    if SOAK:
        terminalreporter.write_line(f"soak: {kills} processes were killed on random days")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first."""
    order.put_longest_first(items)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Let the servers go."""
    _servers.close()


@pytest.fixture(scope="session")
def django_db_setup(request: pytest.FixtureRequest, django_test_environment, django_db_blocker) -> Iterator[None]:
    """Give this process a database of its own, copied from the tables that the migrations make."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "")
    with ExitStack() as stack:
        with django_db_blocker.unblock():
            stack.enter_context(database.copy(f"_{worker}" if worker else ""))
            partitions.ensure()
        yield
        with django_db_blocker.unblock():
            stack.close()


@pytest.fixture(autouse=True)
def recent_sign_ins() -> Iterator[None]:
    """Let `force_login` count as a sign-in by password just now, as that through the page does."""

    def record(request, user, **_signal):
        record_authentication(request, user, "password")

    user_logged_in.connect(record)
    yield
    user_logged_in.disconnect(record)


@pytest.fixture
def alice(db):
    """Return the administrator."""
    return _user("alice", "administrator")


@pytest.fixture
def bob(db):
    """Return the member."""
    return _user("bob", "member")


@pytest.fixture
def charlie(db):
    """Return the auditor, who reads everything and changes nothing."""
    return _user("charlie", "auditor")


def _user(name: str, role: str):
    return User.objects.create_user(name, f"{name}@example.com", "correct-horse-battery", role=role)


@pytest.fixture
def member(bob) -> Actor:
    """Return bob as the actor of a page."""

    return user_actor(bob, "page")


@pytest.fixture
def auditor(charlie) -> Actor:
    """Return charlie as the actor of a page."""

    return user_actor(charlie, "page")


@pytest.fixture
def administrator(alice) -> Actor:
    """Return alice as the actor of a page."""

    return user_actor(alice, "page")


@pytest.fixture
def signed_in(bob) -> Client:
    """Return a browser in which bob, a member, is signed in."""
    client = Client()
    client.force_login(bob)
    return client


@pytest.fixture
def administrating(alice) -> Client:
    """Return a browser in which alice, an administrator, is signed in."""
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture
def api(bob) -> APIClient:
    """Return an API client with bob's token."""

    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {tokens.make(bob, 'tests')}")
    return client


@pytest.fixture
def person(db) -> Callable[..., object]:
    """Return a function that creates a person from details and, by keyword, `authorization` and `source`."""

    def create(*, authorization=None, source=None, owner=None, **details: str):
        details = details or {"first_name": "Anna", "last_name": "Berg", "email": "anna@example.com"}
        extra = {"authorization": authorization, "source": source}
        new = NewPerson(details, **{name: value for name, value in extra.items() if value})
        return create_person(new, actor=system("command"), owner_id=owner and owner.pk)

    return create


@pytest.fixture(autouse=True)
def agreeing_records(request: pytest.FixtureRequest) -> Iterator[None]:
    """Where acts meet or processes are killed, the records must agree with each other afterwards."""
    is_race = request.node.get_closest_marker("race")
    if is_race:
        request.getfixturevalue("transactional_db")
    yield
    if is_race:
        assert differences() == {}
