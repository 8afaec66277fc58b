"""An emulated org in a process of its own, a connection to it, and shorthands for what both sides hold."""

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
from django.utils import timezone

from compliance.suppression import suppression
from contacts.models import Contact
from salesconnect.lib.actor import system
from tests.salesforce_org.control import Org
from unsubscribes.crm.connection import connecting, sync_control
from unsubscribes.crm.models import SyncConnection, SyncRun
from unsubscribes.crm.runs.running import RunTurn
from unsubscribes.crm.salesforce.api import client
from unsubscribes.evidence.reconsent import reconsent
from unsubscribes.evidence.rules import Evidence

ACTOR = system("command")


@pytest.fixture(scope="session")
def running_org() -> Iterator[Org]:
    """Return an org that runs for all tests of this process."""
    with Org() as org:
        yield org


@pytest.fixture
def org(running_org) -> Org:
    """Return a fresh org."""
    running_org.reset()
    return running_org


@pytest.fixture
def connected(db, org, monkeypatch) -> SyncConnection:
    """Return an active connection to the org; waits between tries are short."""
    monkeypatch.setattr(client, "FIRST_DELAY", 0.02)
    row = connecting.connect(
        {"login_url": org.url, "client_id": org.client_id, "secret": org.client_secret}, actor=ACTOR
    )
    SyncConnection.objects.update(state="active")
    row.refresh_from_db()
    return row


Sync = Callable[..., SyncRun]


@pytest.fixture
def sync(connected) -> Sync:
    """Return a function that runs the sync as a person at a shell would, and gives the run."""

    def run(direction: str = "both", **options: bool) -> SyncRun:
        ordered = sync_control.request_run(actor=ACTOR, direction=direction, start=False, **options)
        RunTurn(ordered, manual=True).go()
        ordered.refresh_from_db()
        return ordered

    return run


@pytest.fixture
def unsubscribe() -> Callable[..., None]:
    """Return a function that opts people out here."""

    def act(*people: Contact, source: str = "manual") -> None:
        among = Contact.objects.filter(pk__in=[person.pk for person in people])
        suppression.unsubscribe(among, actor=ACTOR, source=source)

    return act


@pytest.fixture
def consent(administrator) -> Callable[[Contact], None]:
    """Return a function that records a new consent of an unsubscribed person."""

    def act(person: Contact) -> None:
        today = timezone.localdate() + dt.timedelta(0)
        evidence = Evidence(
            today, "phone", "Yes, please write to me again", "Newsletter", "File 12 in the cabinet of the office", None
        )
        reconsent(person.pk, evidence, actor=administrator)

    return act


def is_out(person: Contact) -> bool:
    """Tell whether a person is opted out here."""
    return Contact.objects.get(pk=person.pk).card.unsubscribed


def box(org: Org, sf_id: str) -> bool:
    """Tell whether the box of a record is ticked."""
    return org.record(sf_id)["HasOptedOutOfEmail"]
