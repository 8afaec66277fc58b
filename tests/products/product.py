"""A product that runs in its own process with its own data, for tests that look at it from outside."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import psutil

from salesconnect.embedded import account, servers

ROOT = Path(__file__).resolve().parents[2]
AGREED = "The records agree: no differences.\n"
"""What `check_records` says of data in which nothing is wrong."""
UP = [sys.executable, str(ROOT / "manage.py"), "up"]


@contextmanager
def data_folder(name: str = "data") -> Iterator[Path]:
    """Give the path of a data folder that any account can reach, and remove all that came of it."""
    home = Path(tempfile.mkdtemp(prefix="sc-"))
    home.chmod(0o755)
    data = home / name
    try:
        yield data
    finally:
        if (data / "postgres-folder").exists():
            shutil.rmtree(account.PRIVATE / (data / "postgres-folder").read_text())
        shutil.rmtree(servers(data).sockets, ignore_errors=True)
        shutil.rmtree(home)


def environment(data: Path, port: int, **extra: str) -> dict[str, str]:
    """Return the environment of a product with embedded servers."""
    outside = {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "SALESCONNECT_URL"}
    kept = {name: value for name, value in os.environ.items() if name not in outside}
    return {**kept, "SALESCONNECT_DATA": str(data), "PORT": str(port), **extra}


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition: Callable[[], object], seconds: float = 120) -> float:
    """Wait for a condition; return the seconds that it took, fail when it does not come true in time."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, f"waited {seconds} s in vain"
        time.sleep(0.1)
    return time.monotonic() - start


class Product:
    """A running `manage.py up`."""

    def __init__(self, data: Path, command: list[str] = UP, **extra: str) -> None:
        self.data, self.port, self.extra = data, free_port(), extra
        self.output = data.with_name("output")
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                cwd=data.parent,
                env=environment(data, self.port, **extra),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def status(self, path: str) -> int:
        """Return the status of a page, 0 while nobody listens."""
        try:
            with closing(HTTPConnection("127.0.0.1", self.port, timeout=5)) as site:
                site.request("GET", f"/{path}")
                return site.getresponse().status
        except (OSError, HTTPException):
            return 0

    def ready(self) -> bool:
        """Tell whether database, broker and worker are there; fails at once when the product has ended."""
        assert self.process.poll() is None, self.log()
        return self.status("readyz") == 200

    def log(self) -> str:
        """Return all that the terminal would have shown."""
        return self.output.read_text()

    def check_records(self) -> str:
        """Return what `check_records` says of the product's data, also why it could not."""
        command = [sys.executable, str(ROOT / "manage.py"), "check_records"]
        surroundings = environment(self.data, self.port, **self.extra)
        done = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def members(self) -> dict[str, psutil.Process]:
        """Return the product's direct children by their names in the log."""
        marks = {
            "postgres": "cluster_name=",
            "redis": "redis-server",
            "web": "gunicorn",
            "beat": " beat ",
            "worker": " worker ",
        }
        up = next(
            p
            for p in [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children()]
            if "up" in _command(p).split()
        )
        lines = {child: _command(child) for child in up.children()}
        return {name: child for name, mark in marks.items() for child, line in lines.items() if mark in line}

    def stop(self, number: signal.Signals = signal.SIGTERM, seconds: float = 60) -> int:
        """Send a signal to the first process and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(seconds)


def _command(process: psutil.Process) -> str:
    """Return a command line, that of an ended process empty."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def left_behind(data: Path) -> list[str]:
    """Return the command lines of processes that belong to a data folder."""
    tag, found = servers(data).tag, []
    for process in psutil.process_iter():
        try:
            mine = process.environ().get("SALESCONNECT_DATA") == str(data)
            if process.status() != psutil.STATUS_ZOMBIE and (mine or tag in " ".join(process.cmdline())):
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found
