"""A running org, fresh for each test, and a bare client that has signed in."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.salesforce_org.control import Org
from tests.soak import SOAK

# It needs Node, which only the long run installs.
collect_ignore = [] if SOAK else ["test_jsforce.py"]
SECONDS = 30


class Api:
    """Sends requests with a token to the newest API version."""

    def __init__(self, org: Org) -> None:
        self.org = org
        self.session = requests.Session()
        self.sign_in()

    def sign_in(self) -> None:
        form = {"grant_type": "client_credentials", "client_id": self.org.client_id}
        form["client_secret"] = self.org.client_secret
        answer = requests.post(f"{self.org.url}/services/oauth2/token", data=form, timeout=SECONDS).json()
        self.session.headers["Authorization"] = f"Bearer {answer['access_token']}"

    def request(self, method: str, path: str, **more: Any) -> requests.Response:
        base = "" if path.startswith("/services/") else "/services/data/v67.0"
        return self.session.request(method, self.org.url + base + path, timeout=SECONDS, **more)

    def get(self, path: str, **query: str) -> requests.Response:
        return self.request("GET", path, params=query)

    def query(self, soql: str, resource: str = "query") -> list[dict[str, Any]]:
        """Return all records of a query, page by page, without their attributes."""
        body = self.get(f"/{resource}", q=soql).json()
        records = body["records"]
        while not body["done"]:
            body = self.get(body["nextRecordsUrl"]).json()
            records += body["records"]
        return [{key: value for key, value in record.items() if key != "attributes"} for record in records]

    def ids(self, condition: str, name: str = "Contact") -> list[str]:
        """Return the last names of what a condition finds, in order."""
        soql = f"SELECT LastName FROM {name} WHERE {condition} ORDER BY LastName"
        return [record["LastName"] for record in self.query(soql)]

    def patch(self, record_id: str, fields: dict[str, Any], **headers: str) -> requests.Response:
        name = {"003": "Contact", "00Q": "Lead", "001": "Account"}[record_id[:3]]
        return self.request("PATCH", f"/sobjects/{name}/{record_id}", json=fields, headers=headers)

    def patch_all(self, *records: dict[str, Any], all_or_none: bool = False, **headers: str) -> requests.Response:
        """Send a collection; a record names its `type` beside its fields."""
        body = [
            {"attributes": {"type": record.get("type", "Contact")}}
            | {key: value for key, value in record.items() if key != "type"}
            for record in records
        ]
        body = {"allOrNone": all_or_none, "records": body}
        return self.request("PATCH", "/composite/sobjects", json=body, headers=headers)

    def composite(self, *parts: dict[str, Any], **more: Any) -> requests.Response:
        return self.request("POST", "/composite", json={"compositeRequest": parts, **more})


def error(response: requests.Response) -> tuple[int, str]:
    """Return status and code of a refused request."""
    return response.status_code, response.json()[0]["errorCode"]


@pytest.fixture(scope="session")
def running_org() -> Iterator[Org]:
    """Return one org for all tests of this process."""
    with Org() as org:
        yield org


@pytest.fixture
def org(running_org: Org) -> Org:
    """Return a fresh org."""
    running_org.reset()
    return running_org


@pytest.fixture
def api(org: Org) -> Iterator[Api]:
    """Return a client that has signed in, with an empty journal."""
    client = Api(org)
    org.clear_journal()
    with client.session:
        yield client
