"""The whole product beside an org: web, worker, beat, PostgreSQL and Redis as processes of their own."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

import pytest
from redis import Redis

from salesconnect.embedded import servers
from tests.products.product import AGREED, ROOT, Product, data_folder, environment, until
from tests.salesforce_org.control import Org
from tests.unsubscribes.crm.conftest import box


class Site:
    """A running product, spoken to through its API and its commands."""

    def __init__(self, product: Product, settings: dict[str, str]) -> None:
        self.product, self.settings = product, settings
        self.manage("create_user", "alice", "--role", "administrator", "--password", "correct-horse-battery")
        self.token = self.manage("create_token", "alice").strip()

    def manage(self, *words: str) -> str:
        """Run a command beside the product."""
        command = [sys.executable, str(ROOT / "manage.py"), *words]
        env = environment(self.product.data, self.product.port, **self.settings)
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ask(self, path: str, body: dict[str, object] | None = None) -> dict[str, object]:
        """Ask the API."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.product.port}/api/v1/{path}",
            json.dumps(body).encode() if body is not None else None,
            {"Authorization": f"Token {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return json.load(answer)

    def person(self, name: str) -> int:
        """Create a person; return the number."""
        return self.ask("contacts/", {"last_name": name, "email": f"{name}@example.com"})["id"]

    def is_out(self, number: int) -> bool:
        """Tell whether a person is opted out here."""
        return self.ask(f"contacts/{number}/")["unsubscribed"]


@pytest.fixture
def site(org: Org) -> Iterator[Site]:
    """Return a product that reads every two seconds and writes when it is told to."""
    settings = {
        "SALESFORCE_LOGIN_URL": org.url,
        "SALESFORCE_CLIENT_ID": org.client_id,
        "SALESFORCE_CLIENT_SECRET": org.client_secret,
        "SALESFORCE_PULL_SECONDS": "2",
        "SALESFORCE_PUSH_SECONDS": "5",
        "SALESCONNECT_ADMIN_PASSWORD": "correct-horse-battery",
    }
    with data_folder() as data:
        product = Product(data, **settings)
        try:
            until(product.ready)
            yield Site(product, settings)
        finally:
            product.stop()


def _restart_the_database_while_it_reads(org: Org, site: Site) -> None:
    """Kill PostgreSQL in the middle of a read, and wait until the product has it again."""
    org.clear_journal()
    org.fault("delay", seconds=2, match={"path": "composite$"})
    until(lambda: org.journal(path="composite$"), 60)
    killed = site.product.members()["postgres"]
    killed.kill()
    until(lambda: site.product.members().get("postgres", killed).pid != killed.pid, 60)
    until(lambda: site.product.status("readyz") == 200, 90)
    org.clear_faults()


def test_opt_outs_go_both_ways_by_themselves_through_every_misfortune(org, site):
    names = ("anna", "bo", "cecilia", "david")
    anna, bo, cecilia, david = map(site.person, names)
    ids = org.create("Contact", *({"LastName": name, "Email": f"{name}@example.com"} for name in names))
    site.manage("sync_salesforce", "--activate", "--yes")
    site.ask(f"contacts/{anna}/unsubscribes/", {"reason": "enough"})
    until(lambda: box(org, ids[0]), 60)
    org.opt_out(ids[1])
    until(lambda: site.is_out(bo), 60)
    with Redis.from_url(servers(site.product.data).redis_url) as broker:
        broker.flushall()
    site.product.members()["worker"].kill()
    site.ask(f"contacts/{cecilia}/unsubscribes/", {"reason": "enough"})
    until(lambda: box(org, ids[2]), 90)
    assert site.ask("sync/status/")["state"] == "active"
    _restart_the_database_while_it_reads(org, site)
    org.opt_out(ids[3])
    until(lambda: site.is_out(david), 90)
    assert site.product.check_records() == AGREED
    log = site.product.log()
    assert [word for word in ("@example.com", org.client_secret, "Bearer") if word in log] == []
