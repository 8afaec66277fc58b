"""The process itself: how it starts and ends, what it shares with the product (nothing), and its page for people."""

import ast
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import requests

from tests.salesforce_org import control
from tests.salesforce_org.control import ROOT, Org
from tests.salesforce_org_tests.conftest import SECONDS

PRODUCT = {"salesconnect", "contacts", "compliance", "unsubscribes", "exports"}
COMMAND = [sys.executable, "-m", "tests.salesforce_org", "--port", "0", "--control-port", "0"]


def imported(folder: Path) -> set[str]:
    """Return the modules that the files of a folder import."""
    names = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module)
    return names


def test_the_org_and_the_product_share_no_code():
    assert {name for name in imported(Path(control.__file__).parent) if name.split(".")[0] in PRODUCT} == set()
    for app in PRODUCT:
        assert {name for name in imported(ROOT / app) if name.startswith("tests")} == set()


def test_it_says_in_one_line_where_it_is_and_ends_at_sigterm():
    with subprocess.Popen(COMMAND, cwd=ROOT, stdout=subprocess.PIPE) as process:
        ready = json.loads(process.stdout.readline())
        assert requests.get(f"{ready['url']}/services/data/", timeout=SECONDS).status_code == 200
        assert requests.post(f"{ready['control']}/state", timeout=SECONDS).json()["url"] == ready["url"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0


def test_it_ends_with_the_process_that_started_it():
    starter = (
        "import sys; from tests.salesforce_org.control import Org; org = Org(); print(org.process.pid, flush=True);"
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", starter], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        number = int(process.stdout.readline())
        process.kill()
    until = time.monotonic() + 10
    while runs(number) and time.monotonic() < until:
        time.sleep(0.05)
    assert not runs(number)


def runs(number: int) -> bool:
    """Whether a process is there and is not only waiting to be buried."""
    try:
        os.kill(number, 0)
        return "\nState:\tZ" not in Path(f"/proc/{number}/status").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_a_person_can_see_the_records_and_flip_a_box(org):
    [anna, _] = org.create(
        "Contact",
        {"FirstName": "Anna", "LastName": "<Berg>", "Email": "anna@example.com"},
        {"LastName": "Other", "Email": "other@example.com"},
    )
    page = requests.get(f"{org.control_url}/ui/Contact", params={"q": "anna"}, timeout=SECONDS).text
    assert ("Anna &lt;Berg&gt;" in page, "other@example.com" in page, ">Opt out<" in page) == (True, False, True)
    form = {"id": anna, "opted_out": "1"}
    page = requests.post(f"{org.control_url}/ui/Contact?q=anna", data=form, timeout=SECONDS).text
    assert "Clear the opt-out" in page
    assert org.opted_out() == {anna}
    assert org.record(anna, "LastModifiedById")["LastModifiedById"] == org.user_ids()["sally"]


def test_another_site_cannot_flip_a_box(org):
    [anna] = org.create("Contact", {"LastName": "Berg"})
    form, headers = {"id": anna, "opted_out": "1"}, {"Origin": "https://example.com"}
    response = requests.post(f"{org.control_url}/ui/Contact", data=form, headers=headers, timeout=SECONDS)
    assert (response.status_code, org.opted_out()) == (403, set())


def test_a_handle_can_be_made_for_an_org_that_runs_already(org):
    ready = {"url": org.url, "control": org.control_url, "client_id": "", "client_secret": "", "username": ""}
    again = Org.at({**ready, "organization_id": org.organization_id})
    assert again.state()["organization_id"] == org.organization_id
    again.stop()
    assert org.state()["url"] == org.url
