"""The embedded PostgreSQL 18: create, start, check, stop."""

import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path

import psutil
import psycopg2
from psycopg2.extensions import connection

from salesconnect.embedded import processes
from salesconnect.embedded.account import as_account, binaries, cluster, own
from salesconnect.embedded.paths import EmbeddedError, Servers

MEBIBYTE = 1 << 20
# An eighth of the memory, at most 1 GB, which holds a million people with their indexes.
CACHE = min(1024, max(128, psutil.virtual_memory().total // 8 // MEBIBYTE))

# fsync, synchronous_commit and full_page_writes keep their default: on. Statements and error details contain personal
# data, so they are kept out of the log; the level "log" is above "error" there.
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": f"{CACHE}MB",
    "max_wal_size": "4GB",
    "random_page_cost": "1.1",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}


class Postgres:
    name = "postgres"
    stop_signals = ((signal.SIGINT, 6.0), (signal.SIGQUIT, 1.0), (signal.SIGKILL, 1.0))

    def __init__(self, where: Servers) -> None:
        self.where = where
        self.log = where.data / "postgres.log"

    def running(self) -> bool:
        try:
            self._connect("postgres").close()
        except psycopg2.OperationalError:
            return False
        return True

    def spawn(self, *, attached: bool) -> processes.Process:
        """Start the server without waiting, after removing what a killed server has left."""
        # Backends that outlive their postmaster hold the shared memory, and a new one refuses to start beside them.
        processes.end(self._orphans(), [(signal.SIGQUIT, 2.0), (signal.SIGKILL, 5.0)])
        folder = cluster(self.where)
        self._own(self.where.postgres_sockets)
        if not folder.exists():
            self._initialise(folder)
        own(folder)
        _admit(folder)
        # Files of a killed server. The process id in them may meanwhile be a zombie, or another program.
        for stale in (folder / "postmaster.pid", *self.where.postgres_sockets.iterdir()):
            stale.unlink(missing_ok=True)
        options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        command = [str(binaries() / "postgres"), "-D", str(folder), "-k", str(self.where.postgres_sockets), *options]
        command += ["-c", f"cluster_name={self.where.tag}"]
        if attached:
            return processes.attach(command, orphan_signal=signal.SIGINT, cwd="/", **as_account())
        return processes.detach(command, log=self.log, cwd="/", **as_account())

    def finish_start(self) -> None:
        """Create the product's database in a server that has just started."""
        link = self._connect("postgres")
        link.autocommit = True
        with link.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = 'salesconnect'")
            if cursor.fetchone() is None:
                cursor.execute("CREATE DATABASE salesconnect")
        link.close()

    def stop(self) -> None:
        """Stop the server: with a checkpoint if that is quick enough, else immediately."""
        processes.end(self.living(), self.stop_signals)
        processes.end(self._orphans(), [(signal.SIGKILL, 2.0)])

    def living(self) -> list[psutil.Process]:
        """Return the server's main process, if there is one."""
        return processes.find("-D", f"cluster_name={self.where.tag}")

    def _orphans(self) -> list[psutil.Process]:
        """Return backends whose main process was killed, found by the cluster's name in their titles."""
        return [] if self.living() else processes.find(f"postgres: {self.where.tag}: ")

    def _connect(self, database: str) -> connection:
        parts = self.where.database_url_parts
        return psycopg2.connect(
            dbname=database, user=parts["USER"], host=parts["HOST"], port=parts["PORT"], connect_timeout=3
        )

    def _own(self, folder: Path) -> None:
        """Create a folder that only the account that runs the server can enter."""
        folder.mkdir(mode=0o700, exist_ok=True)
        own(folder)

    def _initialise(self, folder: Path) -> None:
        """Create the cluster under a temporary name, so that an interrupted start leaves no incomplete one."""
        draft = folder.with_name("postgres-draft")
        shutil.rmtree(draft, ignore_errors=True)
        self._own(draft)
        command = [str(binaries() / "initdb"), "-D", str(draft), "-U", "salesconnect", "--auth=trust", "-E", "UTF8"]
        result = subprocess.run(  # noqa: S603 - the command is ours
            [*command, "--locale=C.UTF-8", "--no-instructions"],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            **as_account(),
        )
        if result.returncode:
            lines = result.stderr.strip().splitlines() or ["no reason given"]
            reason = next((line for line in lines if "error" in line), lines[0])
            raise EmbeddedError(f"The database cannot be made in {folder}: {reason.strip()}")
        draft.rename(folder)


def _admit(folder: Path) -> None:
    """Admit only the account that runs the product; PostgreSQL learns it from the kernel (peer authentication).

    That needs an account with a name, which some containers do not have. There the mode of the socket's folder
    protects the database.
    """
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return
    written = {
        "pg_hba.conf": "local all all peer map=product\nlocal replication all peer map=product\n",
        "pg_ident.conf": f'product "{name}" all\n',
    }
    for file, text in written.items():
        (folder / file).write_text(text)
