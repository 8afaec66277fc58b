"""Secrets and tokens go to Salesforce and to nobody else."""

import pytest

from salesconnect.lib.encryption import decrypt_or_empty
from salesconnect.lib.errors import Invalid
from tests.unsubscribes.crm.conftest import ACTOR
from unsubscribes.crm.connection import connecting
from unsubscribes.crm.models import SyncConnection
from unsubscribes.crm.provider_errors import ErrorKind, ProviderError
from unsubscribes.crm.salesforce.api import auth, hosts

OWN = (
    "https://login.salesforce.com",
    "https://test.salesforce.com",
    "https://exempel.my.salesforce.com",
    "https://exempel--proving.sandbox.my.salesforce.com",
    "https://Exempel.My.Salesforce.com/",
    "https://exempel.my.salesforce.com:443",
    "https://exempel.lightning.force.com",
    "https://exempel.my.salesforce.mil",
)
STRANGE = (
    "http://exempel.my.salesforce.com",
    "https://example.com",
    "https://salesforce.com.example.com",
    "https://evilsalesforce.com",
    "https://example.com/.salesforce.com",
    "https://example.com?.salesforce.com",
    "https://example.com#.my.salesforce.com",
    "https://exempel.my.salesforce.com@example.com",
    "https://user:word@exempel.my.salesforce.com",
    "https://example.com\\\\.my.salesforce.com",
    "https://exempel.my.salesforce.com:8443",
    "https://exempel.my.salesforce.com:port",
    "https://[::1",
    "https://169.254.169.254",
    "https://10.0.0.1",
    "ftp://exempel.my.salesforce.com",
    "//exempel.my.salesforce.com",
    "https://",
    "",
)


@pytest.fixture
def installed(settings):
    """Let it be no trial on one machine."""
    settings.EMBEDDED_DATABASE, settings.SALESFORCE_LOGIN_URL, settings.SALESFORCE_HOSTS = False, "", []


@pytest.mark.parametrize("url", OWN)
def test_an_address_of_salesforces_is_safe(installed, url):
    assert hosts.is_safe(url)


@pytest.mark.parametrize("url", STRANGE)
def test_any_other_is_not(url):
    assert not hosts.is_safe(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost", "https://[::1]:8443"])
def test_this_machine_is_safe_only_where_the_product_is_tried_out(installed, settings, url):
    assert not hosts.is_safe(url)
    settings.SALESFORCE_LOGIN_URL = "http://127.0.0.1:9000"
    assert hosts.is_safe(url)
    settings.SALESFORCE_LOGIN_URL, settings.EMBEDDED_DATABASE = "", True
    assert hosts.is_safe(url)


def test_the_environment_may_name_more_hosts(installed, settings):
    settings.SALESFORCE_HOSTS = ["gateway.example"]
    assert hosts.is_safe("https://org.gateway.example:8443")
    assert not hosts.is_safe("http://org.gateway.example")
    assert not hosts.is_safe("https://notgateway.example")


def test_another_login_url_needs_the_secret_anew(connected, org):
    with pytest.raises(Invalid) as refused:
        connecting.connect({"login_url": "https://exempel.my.salesforce.com"}, actor=ACTOR)
    assert list(refused.value.fields) == ["secret"]
    row = SyncConnection.objects.get()
    assert (row.login_url, decrypt_or_empty(row.secret)) == (org.url, org.client_secret)
    connecting.connect({"login_url": "https://exempel.my.salesforce.com", "secret": "anew"}, actor=ACTOR)
    assert decrypt_or_empty(SyncConnection.objects.get().secret) == "anew"


def test_the_same_address_written_otherwise_keeps_the_secret(connected, org):
    connecting.connect({"login_url": f" {org.url}/ "}, actor=ACTOR)
    row = SyncConnection.objects.get()
    assert (row.login_url, decrypt_or_empty(row.secret)) == (org.url, org.client_secret)


def test_no_secret_is_sent_to_a_stranger_who_stands_in_the_database(connected, org):
    org.clear_journal()
    SyncConnection.objects.update(login_url=org.url.replace("127.0.0.1", "127.0.0.2"))
    [line] = connecting.test(actor=ACTOR)
    assert (line.ok, line.found, org.journal()) == (False, "UNSAFE_LOGIN_URL", [])


def test_an_org_that_names_a_strange_address_gets_no_token_back(connected, org):
    org.settings(instance_url="https://example.com")
    with pytest.raises(ProviderError) as refused:
        auth.renewed(connected.token_generation)
    assert (refused.value.kind, refused.value.code) == (ErrorKind.AUTH, "UNSAFE_INSTANCE_URL")
    assert SyncConnection.objects.get().access_token == ""
