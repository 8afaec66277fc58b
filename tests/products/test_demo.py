"""`manage.py up --demo`: a newcomer sees the sync work, without any account at Salesforce."""

import json
import re
import subprocess
import sys
import urllib.parse
import urllib.request

import pytest

from salesconnect.demo import demo_mail, demo_org
from tests.products.product import AGREED, ROOT, UP, Product, data_folder, environment, until
from unsubscribes.crm.connection import connecting
from unsubscribes.crm.models import SyncConnection


@pytest.fixture
def demo():
    """Return a running demo."""
    with data_folder() as data:
        product = Product(data, [*UP, "--demo"])
        try:
            until(product.ready, 300)
            yield product
        finally:
            if product.process.poll() is None:
                product.stop()


def ask(product: Product, token: str, path: str) -> dict[str, object]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{product.port}/api/v1/{path}", headers={"Authorization": f"Token {token}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return json.load(answer)


def post(product: Product, token: str, path: str, body: object) -> dict[str, object]:
    headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}
    url = f"http://127.0.0.1:{product.port}/api/v1/{path}"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return json.load(answer)


def mailable(product: Product, token: str) -> int:
    return ask(product, token, "contacts/?verdict=may&page_size=1")["results"][0]["id"]


def test_an_opt_out_on_the_org_page_reaches_the_person(demo):
    token = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "create_token", "admin"],
        env=environment(demo.data, demo.port),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    page = re.search(r"http://\S+/ui/Contact", demo.log())[0]
    shown = urllib.request.urlopen(page, timeout=10).read().decode()  # noqa: S310
    row = next(row for row in shown.split("<tr>") if 'name="opted_out" value="1"' in row)
    email, sf_id = re.search(r"<td>(\S+@\S+)</td>", row)[1], re.search(r'name="id" value="(\w+)"', row)[1]
    form = urllib.parse.urlencode({"id": sf_id, "opted_out": "1"}).encode()
    urllib.request.urlopen(page, form, timeout=10).close()  # noqa: S310
    query = f"contacts/?{urllib.parse.urlencode({'search': email})}"
    assert until(lambda: ask(demo, token, query)["results"][0]["unsubscribed"], 90) < 90
    assert ask(demo, token, "sync/status/")["state"] == "active"
    # The demo's mail really leaves: for a mail server that keeps it to itself.
    written = post(demo, token, f"contacts/{mailable(demo, token)}/mails/", {"subject": "Hello", "body": "News."})
    assert until(lambda: ask(demo, token, f"mails/{written['id']}/")["state"] == "sent", 60) < 60
    assert demo.check_records() == AGREED
    assert demo.stop() == 0
    assert "Stopping org" in demo.log()


@pytest.mark.parametrize("here", [True, False])
def test_a_salesforce_that_is_set_up_is_left_alone(db, settings, tmp_path, here):
    settings.BASE_DIR = settings.BASE_DIR if here else tmp_path
    actor, own = demo_org.ACTOR, {"login_url": "https://exempel.my.salesforce.com", "client_id": "x", "secret": "y"}
    connecting.connect(own, actor=actor)
    said = []
    assert demo_org.child(said.append) is None
    assert len(said) == 1
    assert SyncConnection.objects.get().login_url == own["login_url"]


@pytest.mark.parametrize(("url", "port"), [("smtp://mail.exempel.example", 8003), ("", 0)])
def test_a_mail_server_that_is_set_up_is_left_alone(settings, url, port):
    settings.EMAIL_URL = url
    assert demo_mail.child([].append, port) is None
