"""Another client that others wrote, unchanged: jsforce. Needs Node and npm, so only the long run has it."""

import json
import subprocess
from pathlib import Path

import pytest

# Its own choice of undici needs Node 22; the version here runs with what Debian has.
PACKAGES = {"private": True, "dependencies": {"jsforce": "3.10.26"}, "overrides": {"undici": "6.21.3"}}
pytestmark = pytest.mark.soak
DRIVER = Path(__file__).with_name("drive_jsforce.mjs")


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """Install the client into a folder of its own."""
    folder = tmp_path_factory.mktemp("jsforce")
    (folder / "package.json").write_text(json.dumps(PACKAGES))
    subprocess.run(["npm", "install", "--silent"], cwd=folder, check=True, timeout=300)
    return folder


def test_jsforce_signs_in_pages_writes_and_loads_in_bulk(org, packages):
    org.generate("Contact", 4_100)
    ids = [row["Id"] for row in org.records("SELECT Id FROM Contact ORDER BY Id LIMIT 3")]
    [gone] = org.create("Contact", {"LastName": "Gone"})
    org.delete(gone)
    command = ["node", str(DRIVER), org.url, org.client_id, org.client_secret, *ids[:2], gone]
    done = subprocess.run(command, cwd=packages, check=True, timeout=300, capture_output=True, text=True)
    assert json.loads(done.stdout) == {
        "user": org.user_ids()["integration"],
        "organization": org.organization_id,
        "rows": 4_100,
        "updated": [True, True, False],
        "optedOut": True,
        "changes": 4_100,
        "deletions": [gone],
        "refusal": "INVALID_FIELD",
        "usage": 100_000,
        "bulk": [2, 1, 0],
        "bulkRows": 2,
    }
