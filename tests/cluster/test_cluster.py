"""Two sites, three workers, PgBouncer and a streaming replica: what a lost worker and a lost replica cost. Nothing."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg2
import pytest
import requests

from salesconnect import embedded
from tests.cluster.product import Product, until
from tests.cluster.servers import Servers

PEOPLE = 100_000

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    """Start the servers, in a folder that the account may enter which runs them for root."""
    with TemporaryDirectory() as folder:
        started = Servers(Path(folder))
        try:
            started.start()
            yield started
        finally:
            started.stop()


@pytest.fixture(scope="module")
def product(servers, tmp_path_factory) -> Iterator[Product]:
    """Start the product with its people."""
    data = tmp_path_factory.mktemp("product")
    with embedded.hold(data, postgres=False):
        made = Product(servers, data)
        try:
            made.manage("prepare")
            made.manage("seed_contacts", str(PEOPLE))
            made.start()
            yield made
        finally:
            made.stop()


@pytest.fixture(scope="module")
def user(product) -> requests.Session:
    """Return an API client with a token."""
    product.manage("create_user", "carla", "--role", "administrator")
    session = requests.Session()
    session.headers["Authorization"] = f"Token {product.manage('create_token', 'carla').split()[-1]}"
    return session


def one(servers: Servers, sql: str, *, port: int | None = None):
    """Return the one value of a query, asked of the primary itself or of another server."""
    link = psycopg2.connect(dbname="salesconnect", user="salesconnect", host="127.0.0.1", port=port or servers.primary)
    with link, link.cursor() as cursor:
        cursor.execute(sql)
        value = cursor.fetchone()[0]
    link.close()
    return value


def get(user, product, path: str, site: int = 0) -> dict:
    answer = user.get(f"{product.sites[site]}/api/v1/{path}", timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def order(user, product, ground: str) -> int:
    body = {"selection": {"filter": {}}, "authorization_type": ground}
    answer = user.post(f"{product.sites[0]}/api/v1/bulk/authorization/", json=body, timeout=60)
    assert answer.status_code == 202, answer.text
    return answer.json()["batch"]


def export(user, product) -> int:
    """Export everybody; return the number of lines."""
    body = {"selection": {"filter": {}}, "reason": "cluster"}
    answer = user.post(f"{product.sites[1]}/api/v1/exports/", json=body, timeout=60)
    assert answer.status_code == 202, answer.text
    number = answer.json()["id"] if "id" in answer.json() else answer.json()["batch"]
    until(lambda: get(user, product, f"exports/{number}/")["state"] == "done")
    return user.get(f"{product.sites[0]}/api/v1/exports/{number}/file/", timeout=60).content.count(b"\r\n")


def test_lists_are_read_from_the_replica(servers, product, user):
    before = one(servers, "SELECT sum(idx_scan) FROM pg_stat_user_tables", port=servers.replica)
    for _turn in range(3):
        assert len(get(user, product, "contacts/")["results"]) == 50

    def counted() -> bool:
        return one(servers, "SELECT sum(idx_scan) FROM pg_stat_user_tables", port=servers.replica) > before

    until(counted)


def test_who_has_just_written_reads_it_though_the_replica_stands_still(servers, product, user):
    one(servers, "SELECT pg_wal_replay_pause()::text", port=servers.replica)
    made = user.post(
        f"{product.sites[0]}/api/v1/contacts/", json={"last_name": "Newest", "email": "newest@example.com"}, timeout=30
    )
    assert made.status_code == 201, made.text
    found = get(user, product, "contacts/?search=newest@example.com", site=1)
    one(servers, "SELECT pg_wal_replay_resume()::text", port=servers.replica)
    assert [person["id"] for person in found["results"]] == [made.json()["id"]]


def test_exports_are_read_from_the_replica(servers, product, user):
    read = "SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_user_tables WHERE relname = 'contacts_contact'"
    before, people = one(servers, read, port=servers.replica), one(servers, "SELECT count(*) FROM contacts_contact")
    assert export(user, product) == people + 1
    until(lambda: one(servers, read, port=servers.replica) >= before + people)


def test_a_worker_and_the_replica_may_die_in_the_middle(servers, product, user):
    batch = order(user, product, "contract")
    until(lambda: get(user, product, f"batches/{batch}/")["done"] > 0)
    product.kill_a_worker()
    servers.kill_replica()
    killed = one(servers, "SELECT now()")

    def ended() -> bool:
        for site in range(2):
            assert len(get(user, product, "contacts/", site)["results"]) == 50
        return get(user, product, f"batches/{batch}/")["state"] == "done"

    until(ended)
    assert one(servers, f"SELECT finished_at > '{killed}' FROM contacts_batch WHERE id = {batch}")
    people = one(servers, "SELECT count(*) FROM contacts_contact")
    counts = get(user, product, f"batches/{batch}/")
    assert (counts["total"], counts["done"], counts["changed"] + counts["unchanged"]) == (people, people, people)
    events = f"FROM contacts_contactevent WHERE batch_id = {batch}"
    assert one(servers, f"SELECT count(*) {events}") == counts["changed"]
    assert one(servers, f"SELECT count(DISTINCT contact_id) {events}") == counts["changed"]
    assert one(servers, "SELECT count(*) FROM compliance_compliancecard WHERE authorization_type = 3") == people


def test_exports_go_on_without_the_replica(servers, product, user):
    assert export(user, product) == one(servers, "SELECT count(*) FROM contacts_contact") + 1


def test_the_records_agree_after_all_that(product):
    assert product.manage("check_records") == "The records agree: no differences."
