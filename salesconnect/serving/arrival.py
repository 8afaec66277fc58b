"""A request that is being received: its bytes so far, whether it is complete, and the deadline for the rest.

It parses HTTP/1.1 only to find the end of the request (RFC 9112, 6 and 7). A malformed request counts as complete, so
that gunicorn's parser gets and refuses it.
"""

import errno
import os
import re
import shutil
import time
from tempfile import SpooledTemporaryFile, gettempdir

HEAD_SECONDS = 10.0
# Time for the body; it is extended as long as the body arrives at this pace.
BODY_SECONDS, BYTES_A_SECOND = 15.0, 8 * 1024
LONGEST_HEAD, LARGEST_BODY, LONGEST_LINE = 128 * 1024, 1024**3, 8 * 1024
IN_MEMORY = 256 * 1024
# Paths without authentication. No files are uploaded there, so bodies are limited.
ANONYMOUS_PATHS = re.compile(rb"/+(u|accounts|webhooks|static|healthz|readyz|metrics)(/|\?|$)", re.IGNORECASE)
LARGEST_ANONYMOUS_BODY = 8 * 1024**2
# The sender is authenticated only after the body has been received, so bodies must not fill the disk, which may hold
# the database too. So much stays free, or a twentieth of a small disk.
KEPT_FREE = 1024**3
SMALL_PART = 20

_END_OF_HEAD = b"\r\n\r\n"
_EXPECTED = re.compile(rb"(?im)^expect[ \t]*:[ \t]*100-continue[ \t]*\r\n")
_LENGTH = re.compile(rb"(?im)^content-length[ \t]*:[ \t]*([0-9]{1,18})[ \t]*\r$")
_CODED = re.compile(rb"(?im)^transfer-encoding[ \t]*:")


class IncomingRequest:
    """Collects the bytes of one request until it is `whole`; `surplus` holds bytes of the next one."""

    def __init__(self) -> None:
        self.stored: SpooledTemporaryFile[bytes] = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - given on
        self.whole = False
        self.too_large = False
        self.wants_word = False
        self.path = b""
        self.surplus = b""
        self.since = time.monotonic()
        self._head: bytearray | None = bytearray()
        self._came = 0
        self._left = 0
        self._largest = LARGEST_BODY
        self._coded = False
        self._line = bytearray()
        self._trailer = False

    @property
    def is_silent(self) -> bool:
        return self._head is not None and not self._head

    @property
    def deadline(self) -> float:
        """Return the moment of the monotonic clock by which the rest must have arrived."""
        if self._head is not None:
            return self.since + HEAD_SECONDS
        return self.since + BODY_SECONDS + self._came / BYTES_A_SECOND

    def feed(self, data: bytes) -> None:
        """Take received bytes; set `whole` once the request is complete. Raises OSError if the disk is too full."""
        if self._head is None:
            self._take_body(data)
            return
        self._head += data
        end = self._head.find(_END_OF_HEAD)
        if end >= 0:
            head, rest = bytes(self._head[: end + 4]), bytes(self._head[end + 4 :])
            self._head = None
            self._read(head)
            self._take_body(rest)
        elif len(self._head) > LONGEST_HEAD:
            self.stored.write(self._head)
            self.whole = True

    def _read(self, head: bytes) -> None:
        self.since = time.monotonic()
        self.path = ([*head.partition(b"\r\n")[0].split(b" "), b"", b""])[1]
        plain = _EXPECTED.sub(b"", head)
        self.wants_word = plain != head
        self._largest = LARGEST_ANONYMOUS_BODY if ANONYMOUS_PATHS.match(self.path) else LARGEST_BODY
        lengths = _LENGTH.findall(head)
        if _CODED.search(head):
            self._coded = True
        elif len(lengths) == 1:
            self._left = int(lengths[0])
            self.too_large = self._left > self._largest
        self.stored.write(plain)
        self.whole = not self._coded and not self._left

    def _take_body(self, data: bytes) -> None:
        taken = 0
        if not self.whole:
            self._came += len(data)
            taken = self._chunks(data) if self._coded else min(len(data), self._left)
            self._store(data[:taken])
            if not self._coded:
                self._left -= taken
                self.whole = not self._left
            self.too_large = self.too_large or self._came > self._largest
        self.surplus += data[taken:]

    def _store(self, data: bytes) -> None:
        """Store a part of the body. Raises OSError if the disk is too full."""
        if self._came > IN_MEMORY:
            disk = shutil.disk_usage(gettempdir())
            if disk.free - len(data) < min(KEPT_FREE, disk.total // SMALL_PART):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.stored.write(data)

    def _chunks(self, data: bytes) -> int:
        """Follow a chunked body; return how many bytes of `data` belong to it."""
        line, place = self._line, 0
        while place < len(data) and not self.whole:
            if self._left:
                step = min(self._left, len(data) - place)
                self._left -= step
                place += step
                continue
            end = data.find(b"\n", place) + 1
            line += data[place : end or len(data)]
            place = end or len(data)
            if end:
                self._read_line(bytes(line))
                line.clear()
            elif len(line) > LONGEST_LINE:
                self.whole = True
        return place

    def _read_line(self, line: bytes) -> None:
        text = line.strip()
        if self._trailer:
            self.whole = not text
            return
        size = text.partition(b";")[0].strip()
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,15}", size):
            self.whole = True
            return
        number = int(size, 16)
        self._trailer = number == 0
        self._left = number + 2 if number else 0
