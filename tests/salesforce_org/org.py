"""The org as a whole: its parts, and the lock under which each request works."""

from random import Random
from threading import RLock

from tests.salesforce_org.access import Access
from tests.salesforce_org.api_writes import ApiWrites
from tests.salesforce_org.clock import Clock
from tests.salesforce_org.faults import Faults
from tests.salesforce_org.journal import Journal
from tests.salesforce_org.locators import Locators
from tests.salesforce_org.people import People
from tests.salesforce_org.records import Records, Writer
from tests.salesforce_org.schema import Schema
from tests.salesforce_org.sessions import Sessions
from tests.salesforce_org.settings import Settings
from tests.salesforce_org.store import Store
from tests.salesforce_org.transactions import Transactions
from tests.salesforce_org.usage import Usage

SEED = 20261123


class SalesforceOrg:
    """Everything that one org is; `url` is where its public side listens, `page_url` where people look at it."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.url = self.page_url = ""
        self.reset()

    def reset(self) -> None:
        """Make it a fresh org: no records but the users, default settings, no faults, an empty journal."""
        self.random = Random(SEED)  # noqa: S311 - repeatable runs, no secrets
        self.clock, self.settings, self.schema = Clock(), Settings(), Schema()
        self.store = Store(self.schema)
        self.access = Access(self.schema, self.settings)
        self.usage = Usage(self.clock, self.settings)
        self.transactions = Transactions(self.clock)
        self.records = Records(self.store, self.schema, self.clock, self.settings)
        self.people = People(self.records, self.transactions)
        self.writes = ApiWrites(self.store, self.records, self.access, self.transactions)
        self.sessions = Sessions(self.clock, self.settings)
        self.sessions.app.run_as = self.people.user_id("integration")
        self.faults, self.journal = Faults(self.random), Journal()
        self.locators = Locators(self.clock, self.settings)
        self.jobs: dict[str, object] = {}  # bulk jobs of both kinds, by id
        self._found_organization()

    def _found_organization(self) -> None:
        self.organization_id = self.store.next_id("Organization")
        values = {"Name": "Acme", "OrganizationType": "Enterprise Edition", "InstanceName": "EU42", "IsSandbox": 0}
        who = Writer(self.people.user_id("automated"))
        self.records.create("Organization", [self.organization_id], [values], who, self.clock.now())
