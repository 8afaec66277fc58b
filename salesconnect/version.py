"""The version of the product that runs."""

import tomllib
from importlib import metadata
from pathlib import Path


def _version() -> str:
    declared = Path(__file__).resolve().parent.parent / "pyproject.toml"
    if declared.exists():
        return str(tomllib.loads(declared.read_text())["project"]["version"])
    return metadata.version("salesconnect")


VERSION = _version()
