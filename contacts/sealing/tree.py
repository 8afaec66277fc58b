"""Merkle trees as RFC 6962 (section 2.1) hashes them, and the one form in which sealed values are written. Pure.

`exports/verify_proof.py` holds the same few rules once more, for it has to stand alone; a test compares the two.
"""

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

LEAF, NODE, SEAL = b"\x00", b"\x01", b"\x02"
"""What is put before the bytes of a leaf, of two joined hashes and of a seal, so that none can pass for another."""


def canonical(value: Any) -> bytes:
    """Return a value as PostgreSQL writes jsonb: keys by length, then by bytes; UTF-8. Without fractions."""
    return json.dumps(_ordered(value), ensure_ascii=False, separators=(", ", ": ")).encode()


def moment(at: dt.datetime) -> str:
    """Return a moment as it is sealed: 2026-11-23T10:15:00.123456Z."""
    return f"{at.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def leaf_hash(content: bytes) -> bytes:
    return sha256(LEAF + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(NODE + left + right).digest()


def seal_hash(number: int, tree: bytes, previous: bytes, *, events: int, settled: int, sealed_at: str) -> bytes:
    """Return the published root: it covers the tree, the root before it, and what else the seal says."""
    return sha256(SEAL + canonical([number, tree.hex(), previous.hex(), events, settled, sealed_at])).digest()


def tree_root(leaves: Iterable[bytes]) -> bytes:
    """Return the root over leaf hashes, in memory that grows with the logarithm of their number."""
    peaks: list[bytes] = []
    for count, leaf in enumerate(leaves):
        hashed, place = leaf, count
        while place & 1:
            hashed, place = node_hash(peaks.pop(), hashed), place >> 1
        peaks.append(hashed)
    if not peaks:
        return sha256().digest()
    root = peaks.pop()
    while peaks:
        root = node_hash(peaks.pop(), root)
    return root


def levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """Return all hashes of a tree, level by level from the leaves up; one that has no neighbour rises as it is."""
    found = [list(leaves)]
    while len(found[-1]) > 1:
        level = found[-1]
        joined = [node_hash(*level[place : place + 2]) for place in range(0, len(level) - 1, 2)]
        found.append(joined + level[len(joined) * 2 :])
    return found


def path(tree: Sequence[Sequence[bytes]], position: int) -> list[bytes]:
    """Return the hashes that lead from the leaf at `position` to the root of `levels`, the lowest first."""
    steps = []
    for level in tree[:-1]:
        if position ^ 1 < len(level):
            steps.append(level[position ^ 1])
        position >>= 1
    return steps


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: (len(name.encode()), name.encode()))
        return {name: _ordered(value[name]) for name in names}
    return [_ordered(item) for item in value] if isinstance(value, list | tuple) else value
