"""The secrets of an embedded run, made once."""

import base64
import json
import os
import secrets
from pathlib import Path

from salesconnect.embedded.account import cluster
from salesconnect.embedded.holding import locked
from salesconnect.embedded.paths import EmbeddedError, make_data_folder, servers

# Bytes of randomness; 32 of them, written so, are also a key of Fernet.
SIZES = {
    "SECRET_KEY": 48,
    "SALESCONNECT_UNSUBSCRIBE_KEY": 32,
    "SALESCONNECT_SUPPRESSION_KEY": 32,
    "SALESCONNECT_ENCRYPTION_KEY": 32,
}

LASTING = tuple(name for name in SIZES if name != "SECRET_KEY")
"""Those without which something that the database holds is lost."""


def keys(data: Path) -> dict[str, str]:
    """Return the secrets kept in the data folder, made at the first call; several processes may call it at once.

    None are made beside a database that is there already: it was filled with others, by which alone it knows the
    addresses of deleted people who said no. Those that the environment gives need not be in the file.
    """
    file = data / "keys.json"
    make_data_folder(data)
    found = _read(file)
    if found.keys() >= SIZES.keys():
        return found
    with locked(servers(data)):
        found = _read(file)
        missing = [name for name in LASTING if name not in found and not os.environ.get(name)]
        if missing and _has_database(data):
            raise EmbeddedError(
                f"{file} is missing or has no {missing[0]}, and the database beside it was made with other keys:"
                " bring the file back from the backup, or set its keys in the environment. Where they are lost for"
                " good, set new ones there and see `manage.py give_up_key`."
            )
        found = {name: _new(size) for name, size in SIZES.items()} | found
        _write(file, found)
    return found


def _has_database(data: Path) -> bool:
    if not (data / "postgres").exists() and not (data / "postgres-folder").exists():
        return False
    return cluster(servers(data)).exists()


def _new(size: int) -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(size)).decode()


def _read(file: Path) -> dict[str, str]:
    try:
        return dict(json.loads(file.read_text()))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise EmbeddedError(f"The keys in {file} cannot be read.") from error


def _write(file: Path, content: dict[str, str]) -> None:
    draft = file.with_name("keys.json.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
        json.dump(content, output, indent=1)
        output.flush()
        os.fsync(output.fileno())
    draft.rename(file)
