"""Evidence of consent for tests: small documents that are what they claim to be."""

import datetime as dt
import struct
import zlib
from typing import Any

from django.utils import timezone

from unsubscribes.evidence.rules import Evidence


def evidence(**other: Any) -> Evidence:
    """Return evidence that shows a consent of today by a reference; keywords replace parts of it."""
    values = {
        "consent_date": timezone.localdate(),
        "channel": "phone",
        "wording": "Yes, please send me the newsletter.",
        "purpose": "Newsletter",
        "reference": "Call 4711 of the service desk",
    }
    return Evidence(**values | other)


def yesterday() -> dt.date:
    """Return the day before today."""
    return timezone.localdate() - dt.timedelta(days=1)


def png(data: bytes = b"\x00\x00\x00\x00") -> bytes:
    """Return a picture of one pixel."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(data)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def segment(marker: int, data: bytes) -> bytes:
    """Return a segment of a JPEG file."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\nxref\n0 1\ntrailer\n<<>>\nstartxref\n29\n%%EOF\n"
JPEG = b"\xff\xd8" + segment(0xE0, b"JFIF\0") + segment(0xC0, b"\x08" * 9) + segment(0xDA, b"\x01\x01") + b"x\xff\xd9"
MAIL = b"From: anna@example.com\r\nDate: Mon, 2 Mar 2026 10:00:00 +0100\r\nSubject: Yes\r\n\r\nPlease do.\r\n"
