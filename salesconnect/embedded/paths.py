"""Folders, sockets and URLs of the embedded servers."""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Not TMPDIR: every command must find the socket, and the path of a unix socket is limited to 107 characters.
SOCKET_ROOT = Path("/tmp")  # noqa: S108 - owner and mode of our folder in it are verified


class EmbeddedError(Exception):
    """The embedded servers cannot run; the message is one line for the terminal."""


@dataclass(frozen=True)
class Servers:
    """The addresses of PostgreSQL and Redis of one data folder."""

    data: Path
    tag: str

    @property
    def sockets(self) -> Path:
        """Return the folder of the sockets, whose short name is unique for the user and data folder."""
        return SOCKET_ROOT / self.tag

    @property
    def postgres_sockets(self) -> Path:
        """Return the folder that only PostgreSQL's account may enter."""
        return self.sockets / "postgres"

    @property
    def redis_socket(self) -> Path:
        return self.sockets / "redis.sock"

    @property
    def database_url_parts(self) -> dict[str, Any]:
        """Return a new entry for Django's DATABASES. No password: the mode of the socket's folder protects it."""
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "salesconnect",
            "USER": "salesconnect",
            "PASSWORD": "",
            "HOST": str(self.postgres_sockets),
            "PORT": "5432",
        }

    @property
    def redis_url(self) -> str:
        """Return Redis's address as redis-py reads it."""
        return f"unix://{self.redis_socket}?db=0"

    @property
    def broker_url(self) -> str:
        """Return Redis's address as kombu reads it."""
        return f"redis+socket://{self.redis_socket}?virtual_host=0"


def servers(data: Path) -> Servers:
    """Return the addresses for a data folder; nothing is started or written."""
    data = data.resolve()
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    return Servers(data, f"salesconnect-{os.getuid()}-{digest}")


def make_data_folder(data: Path) -> None:
    """Create the data folder. Raises `EmbeddedError` if it cannot be written.

    A folder of root can be entered by others, but not listed, because PostgreSQL runs as another account.
    """
    try:
        data.mkdir(mode=0o700 if os.getuid() else 0o711, parents=True, exist_ok=True)
    except OSError as error:
        raise EmbeddedError(f"The data folder {data} cannot be made: {error.strerror}.") from error
    if not os.access(data, os.W_OK | os.X_OK):
        raise EmbeddedError(f"The data folder {data} cannot be written.")


def make_socket_folder(where: Servers) -> None:
    """Create the folder of the sockets. Raises `EmbeddedError` if another user has created one of that name in /tmp."""
    mode = 0o700 if os.getuid() else 0o711
    where.sockets.mkdir(mode=mode, exist_ok=True)
    found = where.sockets.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise EmbeddedError(f"{where.sockets} belongs to somebody else; remove it and start again.")
    where.sockets.chmod(mode)
