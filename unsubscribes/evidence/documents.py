"""Documents as evidence of a consent: recognises their type by their content."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import PurePath
from typing import Any

from django.core.files.base import File
from django.utils.translation import gettext as _

from salesconnect.lib.errors import Invalid

SIZE_LIMIT = 10 << 20
"""Bytes of a document, 10 MB."""

NAME_LIMIT = 200
_TAIL = 2048
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_FIRST = b"\x00\x00\x00\rIHDR"
_JPEG = b"\xff\xd8\xff"
_JPEG_END = b"\xff\xd9"
_SCAN = 0xDA
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_HEADER_LINE = re.compile(rb"[!-9;-~]+:[ \t]")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|\ud800-\udfff]+')


@dataclass(frozen=True, slots=True)
class Document:
    """An accepted file: its type, a sanitised name, its content and the SHA-256 of the content in hex."""

    kind: str
    name: str
    content: bytes
    sha256: str


def examine(file: File[Any]) -> Document:
    """Check an uploaded file. Raises `Invalid` if it is larger than 10 MB, empty, or of no accepted type.

    The content decides the type; a name with another suffix is refused, because it would mislead whoever opens it.
    """
    file.seek(0)
    content = file.read(SIZE_LIMIT + 1)
    if len(content) > SIZE_LIMIT:
        raise _refused(_("The document is larger than 10 MB."))
    if not content.strip():
        raise _refused(_("The document is empty."))
    path = PurePath(_UNSAFE.sub("_", (file.name or "").rpartition("/")[2]))
    said = path.suffix.lower().lstrip(".")
    kind = next((kind for kind, judge in RECOGNISERS.items() if said in SUFFIXES[kind] and judge(content)), None)
    if kind is None:
        raise _refused(_("The content is not a PDF, PNG, JPEG, EML or TXT document, or not what its name says."))
    name = f"{path.stem[:NAME_LIMIT] or 'document'}.{said or kind}"
    return Document(kind, name, content, hashlib.sha256(content).hexdigest())


def _is_pdf(content: bytes) -> bool:
    return content.startswith(b"%PDF-") and b"startxref" in content[-_TAIL:] and b"%%EOF" in content[-_TAIL:]


def _is_png(content: bytes) -> bool:
    """Walk the chunks from IHDR to IEND and check the CRC of each (PNG specification, section 5)."""
    place = len(_PNG)
    if not content.startswith(_PNG + _PNG_FIRST):
        return False
    while place + 12 <= len(content):
        end = place + 12 + int.from_bytes(content[place : place + 4], "big")
        body = content[place + 4 : end - 4]
        if content[end - 4 : end] != zlib.crc32(body).to_bytes(4, "big"):
            return False
        if body.startswith(b"IEND"):
            return True
        place = end
    return False


def _is_jpeg(content: bytes) -> bool:
    """Walk the segments to the scan, which must be preceded by a frame and followed by EOI (ITU T.81, annex B)."""
    place, frame = 2, False
    if not content.startswith(_JPEG):
        return False
    while content[place : place + 1] == _JPEG[:1] and place + 4 <= len(content):
        marker, end = content[place + 1], place + 2 + int.from_bytes(content[place + 2 : place + 4], "big")
        frame = frame or marker in _FRAMES
        if marker == _SCAN:
            return frame and _JPEG_END in content[end:]
        place = end
    return False


def _is_mail(content: bytes) -> bool:
    if b"\0" in content or not _HEADER_LINE.match(content):
        return False
    mail = message_from_bytes(content)
    return "From" in mail and any(name in mail for name in ("Date", "Message-ID", "Received"))


def _is_text(content: bytes) -> bool:
    """Tell whether it is text in UTF-8, UTF-16 with a BOM, or Windows-1252, without control characters."""
    codec = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    for attempt in (codec, "cp1252"):
        try:
            return not _CONTROLS.search(content.decode(attempt))
        except UnicodeError:
            continue
    return False


RECOGNISERS: dict[str, Callable[[bytes], bool]] = {
    "pdf": _is_pdf,
    "png": _is_png,
    "jpg": _is_jpeg,
    "eml": _is_mail,
    "txt": _is_text,
}
SUFFIXES = {
    "pdf": ("pdf", ""),
    "png": ("png", ""),
    "jpg": ("jpg", "jpeg", ""),
    "eml": ("eml", ""),
    "txt": ("txt", ""),
}


def _refused(message: str) -> Invalid:
    return Invalid({"evidence_file": [message]})
