"""PostgreSQL with a streaming replica behind PgBouncer, from Debian's packages, on ports of its own."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1:]
NAME, USER = "salesconnect", "salesconnect"
PRIMARY_SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
wal_level = replica
max_connections = 60
hot_standby = on
"""
POOL = """
[databases]
salesconnect = host=127.0.0.1 port={primary} dbname=salesconnect user=salesconnect
replica = host=127.0.0.1 port={replica} dbname=salesconnect user=salesconnect
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {pool}
auth_type = any
pool_mode = transaction
default_pool_size = 12
max_client_conn = 200
server_connect_timeout = 2
server_login_retry = 1
query_wait_timeout = 10
unix_socket_dir =
"""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@dataclass
class Servers:
    """The three servers of one test; `stop` ends what still runs."""

    folder: Path
    primary: int = field(default_factory=free_port)
    replica: int = field(default_factory=free_port)
    pool: int = field(default_factory=free_port)
    bouncer: subprocess.Popen | None = None

    def start(self) -> None:
        self.folder.chmod(0o755)
        home = self.folder / "servers"
        home.mkdir()
        shutil.chown(home, *_account()[:2])
        self._run("initdb", "-D", home / "primary", "-U", USER, "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8")
        with (home / "primary/postgresql.conf").open("a") as conf:
            conf.write(PRIMARY_SETTINGS)
        self._start("primary", self.primary)
        address = ("-h", "127.0.0.1", "-p", str(self.primary), "-U", USER)
        self._run("createdb", *address, NAME)
        self._run("pg_basebackup", *address, "-D", home / "replica", "-R", "-X", "stream", "-c", "fast")
        self._start("replica", self.replica)
        (home / "pool.ini").write_text(POOL.format(**vars(self)))
        self.bouncer = subprocess.Popen(["pgbouncer", "-q", str(home / "pool.ini")], **_as_account())

    def kill_replica(self) -> None:
        """End the replica as a crash does."""
        self._run("pg_ctl", "-D", self.folder / "servers/replica", "-m", "immediate", "-W", "stop")

    def stop(self) -> None:
        if self.bouncer:
            self.bouncer.send_signal(signal.SIGTERM)
            self.bouncer.wait()
        for name in ("replica", "primary"):
            data = self.folder / "servers" / name
            if (data / "postmaster.pid").exists():
                self._run("pg_ctl", "-D", data, "-m", "immediate", "stop")

    def _start(self, name: str, port: int) -> None:
        data = self.folder / "servers" / name
        self._run("pg_ctl", "-D", data, "-l", data.with_suffix(".log"), "-o", f"-p {port}", "-w", "start")

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(BINARIES[0] / program), *map(str, arguments)]
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL, **_as_account())


def _account() -> tuple[int, int]:
    """Return the account that runs PostgreSQL, which refuses root."""
    found = pwd.getpwnam("postgres") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    return found.pw_uid, found.pw_gid


def _as_account() -> dict[str, object]:
    user, group = _account()
    return {"user": user, "group": group, "extra_groups": []} if os.getuid() == 0 else {}
