"""A client that others wrote, unchanged but for its way to the loopback port: simple-salesforce."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce, SalesforceAuthenticationFailed, SalesforceMalformedRequest

VERSION = "67.0"


class ToLoopback(HTTPAdapter):
    """Sends what is meant for an https host to the org's port: the client cannot speak plain http."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.host = urlsplit(url).netloc

    def send(self, request, **more):
        """Send a request to the org."""
        parts = urlsplit(request.url)
        request.headers["Host"] = self.host
        request.url = urlunsplit(("http", self.host, parts.path, parts.query, ""))
        return super().send(request, **more)


@pytest.fixture
def session(org):
    """Return a session that ends at the org."""
    with requests.Session() as session:
        session.mount("https://", ToLoopback(org.url))
        yield session


@pytest.fixture
def client(org, session):
    """Return a client that has signed in with its secret."""
    return Salesforce(
        consumer_key=org.client_id,
        consumer_secret=org.client_secret,
        domain="acme.my",
        session=session,
        version=VERSION,
    )


def test_it_signs_in_with_an_assertion(org, session):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    org.app(public_key=public.decode())
    client = Salesforce(
        username=org.username,
        consumer_key=org.client_id,
        privatekey=private.decode(),
        domain="acme.my",
        session=session,
        version=VERSION,
    )
    assert client.query("SELECT Name FROM Organization")["records"][0]["Name"] == "Acme"


def test_it_reads_why_it_was_refused(org, session):
    with pytest.raises(SalesforceAuthenticationFailed, match="invalid client credentials"):
        Salesforce(consumer_key=org.client_id, consumer_secret="wrong", domain="acme.my", session=session)


def test_it_reads_page_by_page(org, client):
    org.generate("Contact", 4_100)
    records = list(client.query_all_iter("SELECT Id, Email FROM Contact"))
    assert len({record["Id"] for record in records}) == 4_100
    assert client.query("SELECT COUNT() FROM Contact")["totalSize"] == 4_100


def test_it_sees_deleted_records(org, client):
    [person] = org.create("Contact", {"LastName": "A"})
    org.delete(person)
    assert client.query("SELECT Id FROM Contact", include_deleted=True)["records"][0]["Id"] == person


def test_it_reads_describes_and_limits(client):
    fields = {field["name"]: field for field in client.Contact.describe()["fields"]}
    assert fields["HasOptedOutOfEmail"]["updateable"] is True
    assert client.limits()["DailyApiRequests"]["Max"] == 100_000
    assert client.api_usage["api-usage"].total == 100_000


def test_it_writes_one_record_and_reads_it_back(org, client):
    [person] = org.create("Contact", {"LastName": "A"})
    assert client.Contact.update(person, {"HasOptedOutOfEmail": True}) == 204
    assert client.Contact.get(person)["HasOptedOutOfEmail"] is True


def test_it_writes_collections_and_composites(org, client):
    [person] = org.create("Contact", {"LastName": "A"})
    record = {"attributes": {"type": "Contact"}, "id": person, "HasOptedOutOfEmail": True}
    body = {"allOrNone": False, "records": [record]}
    result = client.restful("composite/sobjects", method="PATCH", json=body)
    assert result == [{"id": person, "success": True, "errors": []}]
    part = {"method": "GET", "url": f"/services/data/v{VERSION}/limits", "referenceId": "limits"}
    answers = client.restful("composite", method="POST", json={"compositeRequest": [part]})
    assert answers["compositeResponse"][0]["httpStatusCode"] == 200


def test_it_reads_the_code_of_an_error(client):
    with pytest.raises(SalesforceMalformedRequest) as refused:
        client.query("SELECT Foo FROM Contact")
    assert refused.value.content[0]["errorCode"] == "INVALID_FIELD"


def test_it_reads_what_was_changed_and_deleted(org, client):
    changed, deleted = org.create("Contact", {"LastName": "A"}, {"LastName": "B"})
    org.delete(deleted)
    start, end = datetime.now(UTC) - timedelta(minutes=5), datetime.now(UTC) + timedelta(minutes=5)
    assert client.Contact.updated(start, end)["ids"] == [changed]
    assert [row["id"] for row in client.Contact.deleted(start, end)["deletedRecords"]] == [deleted]


def test_it_signs_in_again_when_its_token_has_ended(org, client):
    org.expire_tokens()
    assert client.query("SELECT COUNT() FROM Contact")["totalSize"] == 0
    assert len(org.journal(path="oauth2/token")) == 2


def test_it_updates_in_bulk(org, client):
    ids = org.create("Contact", *[{"LastName": letter} for letter in "ABC"])
    org.delete(ids[2])
    rows = [{"Id": record_id, "HasOptedOutOfEmail": True} for record_id in ids]
    [result] = client.bulk2.Contact.update(records=rows, wait=1)
    assert (result["numberRecordsProcessed"], result["numberRecordsFailed"]) == (3, 1)
    assert "ENTITY_IS_DELETED" in client.bulk2.Contact.get_failed_records(result["job_id"])
    assert org.opted_out() == set(ids[:2])


def test_it_queries_in_bulk(org, client):
    org.generate("Contact", 30)
    pages = list(client.bulk2.Contact.query("SELECT Id, Email FROM Contact", max_records=20, wait=1))
    assert sum(page.count("@example.com") for page in pages) == 30
