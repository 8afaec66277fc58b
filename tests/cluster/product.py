"""The product as several processes: two sites, three workers and the sweeper, all behind one pool."""

import os
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import requests

from tests.cluster.servers import Servers, free_port

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0


@dataclass
class Product:
    """Processes that know each other only by the addresses of their environment."""

    servers: Servers
    data: Path
    sites: list[str] = field(default_factory=list)
    workers: list[subprocess.Popen] = field(default_factory=list)
    others: list[subprocess.Popen] = field(default_factory=list)

    def __post_init__(self) -> None:
        others = ("DJANGO_", "PYTEST_", "REDIS_")
        pool = f"postgres://salesconnect@127.0.0.1:{self.servers.pool}"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(others)},
            "SALESCONNECT_DATA": str(self.data),
            "DATABASE_URL": f"{pool}/salesconnect",
            "DATABASE_REPLICA_URL": f"{pool}/replica",
            **{
                name: secrets.token_urlsafe(32)
                for name in ("SECRET_KEY", "SALESCONNECT_UNSUBSCRIBE_KEY", "SALESCONNECT_SUPPRESSION_KEY")
            },
        }

    def manage(self, *arguments: str) -> str:
        """Run a command of manage.py; return what it prints."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout.strip()

    def start(self) -> None:
        for _site in range(2):
            port = free_port()
            self.others.append(
                self._spawn(
                    "gunicorn", "-c", "python:salesconnect.serving.gunicorn_conf", "salesconnect.wsgi", PORT=str(port)
                )
            )
            self.sites.append(f"http://127.0.0.1:{port}")
        for number in range(3):
            self.workers.append(self._celery("worker", "-c", "1", "-n", f"worker{number}@cluster", "-l", "warning"))
        self.others.append(self._celery("beat", "-s", str(self.data / "beat"), "-l", "warning"))
        for site in self.sites:
            until(lambda site=site: answers(f"{site}/healthz"))

    def kill_a_worker(self) -> None:
        """Kill a worker with its pool, as a machine that loses power does."""
        worker = self.workers.pop()
        for process in [*psutil.Process(worker.pid).children(recursive=True), worker]:
            process.kill()
        worker.wait()

    def stop(self) -> None:
        for process in [*self.workers, *self.others]:
            process.terminate()
        for process in [*self.workers, *self.others]:
            process.wait()

    def _celery(self, *arguments: str) -> subprocess.Popen:
        return self._spawn("celery", "-A", "salesconnect", *arguments)

    def _spawn(self, module: str, *arguments: str, **environment: str) -> subprocess.Popen:
        command = [sys.executable, "-m", module, *arguments]
        return subprocess.Popen(command, cwd=ROOT, env={**self.environment, **environment})


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False


def until(happened, patience: float = PATIENCE) -> None:
    """Wait until something has happened; fail when it does not."""
    deadline = time.monotonic() + patience
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)
