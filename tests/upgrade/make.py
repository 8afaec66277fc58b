"""Make the databases that the upgrade test begins with.

    .venv/bin/python -m tests.upgrade.make          # all of them
    .venv/bin/python -m tests.upgrade.make 0.1      # one

Each comes from its own version of the product: the commit is checked out into a temporary folder, its migrations make
the tables in an embedded PostgreSQL, and its services fill them (see `seed`). What is kept of it lies here:

    NAME.sql.xz         the database, by `pg_dump`
    NAME.files.tar.xz   the files and the ledger that belong to it
    NAME.json           when it was made, and the verdict on every person at that moment, by that version

Renew one only when its seed has to hold more; the dump of a released version stays what that version wrote.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.upgrade.keys import KEYS

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
VERSIONS = {
    "0.1": "128c6eadad3d2b1b3e197687f3a22f3b21d7454f",
    "0.2.dev": "316a7ff0828075b95dc0e330b2ac12e93f6d0fd6",
}
ONE_MEBIBYTE = 1 << 20


def make(name: str) -> None:
    """Make one of them anew."""
    with tempfile.TemporaryDirectory(prefix="salesconnect-upgrade-") as folder:
        code = Path(folder) / "code"
        _run("git", "clone", "--quiet", "--no-checkout", ROOT, code)
        _run("git", "-C", code, "checkout", "--quiet", VERSIONS[name])
        environment = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ} | KEYS
        environment |= {
            "PYTHONPATH": str(code),
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "SALESCONNECT_DATA": f"{folder}/data",
        }
        _run(sys.executable, HERE / "seed.py", HERE / name, cwd=code, env=environment)


def _run(*command: str | Path, **how: object) -> None:
    subprocess.run([str(part) for part in command], check=True, **how)


if __name__ == "__main__":
    for wanted in sys.argv[1:] or VERSIONS:
        make(wanted)
    size = sum(path.stat().st_size for path in HERE.iterdir() if path.suffix in {".xz", ".json"})
    sys.stdout.write(f"{size:,} bytes in all\n")
    if size > ONE_MEBIBYTE:
        sys.exit("That is more than a mebibyte: seed fewer people.")
