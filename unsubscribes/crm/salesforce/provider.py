"""Salesforce as a CRM that unsubscribes are synchronised with."""

from collections.abc import Callable, Mapping

from compliance.suppression.opt_out_source_registry import OptOutSource
from contacts.people.rules import salesforce_id
from unsubscribes.crm.models import SyncConnection
from unsubscribes.crm.provider import Provider
from unsubscribes.crm.provider_errors import ErrorKind
from unsubscribes.crm.salesforce import preflight
from unsubscribes.crm.salesforce.api import credentials, hosts
from unsubscribes.crm.salesforce.api.error_codes import record_class
from unsubscribes.crm.salesforce.code_explanations import CODES
from unsubscribes.crm.salesforce.mapping import BY_PREFIX, SOBJECTS
from unsubscribes.crm.salesforce.session import SalesforceSession
from unsubscribes.crm.salesforce.setup import SalesforceSetup
from unsubscribes.crm.salesforce.targets import ACCOUNT
from unsubscribes.crm.values import ConnectionCheck, Explanation, WriteLimits

BATCH = 200
JOBS_ABOVE = 2_200
JOB = 10_000


class Salesforce(Provider):
    """Contacts and Leads of one org, by the REST API and Bulk API 2.0."""

    key = "salesforce"
    name = "Salesforce"
    sobjects = tuple(sobject.name for sobject in SOBJECTS)
    parent = ACCOUNT
    limits = WriteLimits(BATCH, JOBS_ABOVE, JOB)
    names_people = True
    setup = SalesforceSetup()
    source = OptOutSource.SALESFORCE_SYNC

    def open(
        self,
        connection: SyncConnection,
        *,
        alive: Callable[[], object] = lambda: None,
        patience: float = 120.0,
        read_only: bool = False,
    ) -> SalesforceSession:
        return SalesforceSession(self, connection, alive=alive, patience=patience, read_only=read_only)

    def check(self, connection: SyncConnection) -> list[ConnectionCheck]:
        return preflight.check(connection)

    def classify(self, code: str, message: str) -> ErrorKind:
        """Look the code up; triggers and flows quote a lock in their message."""
        return record_class(code, message)

    def words(self) -> Mapping[str, Explanation]:
        return CODES

    def record_id(self, text: str) -> str:
        """Check the ID and return its 18 characters."""
        return salesforce_id(text)

    def sobject_of(self, record_id: str) -> str:
        """Return the object by the first three characters."""
        sobject = BY_PREFIX.get(record_id[:3])
        return sobject.name if sobject else ""

    def url_of(self, connection: SyncConnection, record_id: str) -> str:
        return f"{connection.instance_url}/{record_id}" if connection.instance_url else ""

    def faults(self, connection: SyncConnection, secret: str) -> dict[str, str]:
        """Check login URL, app, key or secret, and the name of the field."""
        return credentials.faults(connection, secret)

    def is_same_place(self, one: str, other: str) -> bool:
        """Compare two login URLs."""
        return hosts.same(one, other)

    def environment(self) -> dict[str, str] | None:
        """Read SALESFORCE_LOGIN_URL and the rest."""
        return credentials.environment()

    def environment_secret(self) -> str:
        """Read the consumer secret, or the file of the private key."""
        return credentials.environment_secret()
