"""Which encoding a file is in."""

import codecs
from functools import partial
from typing import BinaryIO

_CHUNK = 1 << 20
_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def detect(file: BinaryIO) -> str | None:
    """Return the name of the codec that decodes the whole file, None when there is none; reads it in chunks.

    A byte order mark decides. Without one, NUL in every other byte means UTF-16; else it is UTF-8 or, where that is
    impossible, Windows-1252.
    """
    file.seek(0)
    return next((codec for codec in _candidates(file.read(4096)) if _decodes(file, codec)), None)


def _candidates(head: bytes) -> tuple[str, ...]:
    for bom, codec in _BOMS.items():
        if head.startswith(bom):
            return (codec,)
    for first, codec in ((1, "utf-16-le"), (0, "utf-16-be")):
        if head[first::2].count(0) > len(head) // 4:
            return (codec,)
    return ("utf-8", "cp1252")


def _decodes(file: BinaryIO, codec: str) -> bool:
    decoder = codecs.getincrementaldecoder(codec)()
    file.seek(0)
    try:
        for chunk in iter(partial(file.read, _CHUNK), b""):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True
