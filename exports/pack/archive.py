"""A zip file whose last member, `manifest.json`, lists path, SHA-256 and size of every other member."""

import datetime as dt
import json
import zipfile
from collections.abc import Iterable
from hashlib import sha256
from typing import IO, Any

from django.core.serializers.json import DjangoJSONEncoder

from contacts.sealing.tree import moment

MANIFEST = "manifest.json"
# A fixed time, so that members differ only if their content does.
MOMENT = (1980, 1, 1, 0, 0, 0)


class Archive:
    """Writes members one after the other, each in pieces, so that none has to fit into memory."""

    def __init__(self, file: IO[bytes]) -> None:
        self.zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self.members: list[dict[str, Any]] = []

    def add(self, path: str, pieces: Iterable[bytes]) -> None:
        digest, size = sha256(), 0
        with self.zip.open(_info(path), "w", force_zip64=True) as member:
            for piece in pieces:
                digest.update(piece)
                size += member.write(piece)
        self.members.append({"path": path, "sha256": digest.hexdigest(), "bytes": size})

    def add_json(self, path: str, value: Any) -> None:
        self.add(path, [as_json(value)])

    def close(self) -> None:
        with self.zip.open(_info(MANIFEST), "w") as manifest:
            manifest.write(as_json(self.members))
        self.zip.close()


def as_json(value: Any) -> bytes:
    """Return a value as indented JSON in UTF-8, with times in ISO 8601."""
    return json.dumps(value, ensure_ascii=False, indent=2, cls=_Encoder).encode() + b"\n"


class _Encoder(DjangoJSONEncoder):
    """Django's encoder cuts times to milliseconds; here they keep their microseconds, as they were sealed."""

    def default(self, o: Any) -> Any:
        return moment(o) if isinstance(o, dt.datetime) else super().default(o)


def _info(path: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(path, MOMENT)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    return info
