"""An older version's database and files, brought back as that version left them; see `make`."""

import datetime as dt
import json
import lzma
import os
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import override_settings

from contacts.events import partitions
from salesconnect.embedded.account import binaries
from salesconnect.operations import key_fit
from tests import database
from tests.upgrade.keys import KEYS

HERE = Path(__file__).resolve().parent
TABLES = """
    SELECT oid::regclass::text FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1
"""


@dataclass(frozen=True)
class Upgraded:
    """A database that was upgraded: from which version, and how it was before.

    `resembling` is the person whose address looks like one that said no.
    """

    version: str
    made_at: dt.datetime
    token: str
    resembling: int
    verdicts: dict[int, str]
    rows_before: dict[str, int] = field(default_factory=dict)


@contextmanager
def upgraded(version: str, folder: Path) -> Iterator[Upgraded]:
    """Restore what an older version left, and upgrade it as `manage.py prepare` does; `folder` takes the files."""
    with tarfile.open(HERE / f"{version}.files.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    told = json.loads((HERE / f"{version}.json").read_text())
    verdicts = {int(number): code for number, code in told["verdicts"].items()}
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    with _keys_and_files(folder), database.empty(f"test_upgrade_{version}{worker}"):
        _replay(lzma.decompress((HERE / f"{version}.sql.xz").read_bytes()))
        before = rows()
        key_fit.check(remember=False)
        call_command("migrate", interactive=False, verbosity=0)
        key_fit.check()
        partitions.ensure()
        made_at = dt.datetime.fromisoformat(told["made_at"])
        yield Upgraded(version, made_at, told["token"], told["resembling"], verdicts, before)


def rows() -> dict[str, int]:
    """Return how many rows each table holds."""
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        tables = [name for (name,) in cursor.fetchall()]
        counts = {}
        for name in tables:
            cursor.execute(f"SELECT count(*) FROM {name}")
            counts[name] = cursor.fetchone()[0]
    return counts


@contextmanager
def _keys_and_files(folder: Path) -> Iterator[None]:
    store = {"BACKEND": settings.STORAGES["default"]["BACKEND"], "OPTIONS": {"location": folder / "files"}}
    with override_settings(
        SECRET_KEY=KEYS["SECRET_KEY"],
        UNSUBSCRIBE_KEY=KEYS["SALESCONNECT_UNSUBSCRIBE_KEY"],
        SUPPRESSION_KEYS=[KEYS["SALESCONNECT_SUPPRESSION_KEY"]],
        ENCRYPTION_KEY=KEYS["SALESCONNECT_ENCRYPTION_KEY"],
        STORAGES=settings.STORAGES | {"default": store},
        ERASURE_LEDGER=str(folder / "ledger" / "erasures.jsonl"),
    ):
        yield


def _replay(sql: bytes) -> None:
    """Run a dump through psql, which alone reads all that `pg_dump` writes."""
    where = connection.settings_dict
    command = [str(binaries() / "psql"), "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--output", os.devnull]
    command += ["-h", where["HOST"], "-p", str(where["PORT"]), "-U", where["USER"], "-d", where["NAME"]]
    environment = os.environ | {"PGPASSWORD": where["PASSWORD"]}
    result = subprocess.run(command, input=sql, env=environment, capture_output=True, check=False)
    assert result.returncode == 0, result.stderr.decode()
