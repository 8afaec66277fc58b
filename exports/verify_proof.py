"""Verify the proof of an event from Sales Connect, offline: python -I verify_proof.py PROOF --root HEX

Prints true or false; the exit code is 0 or 1. Needs Python 3.9 or later and nothing else. The root has to come from
somewhere that the keeper of the history cannot change: a mail, a message, a timestamp, your copy of the file of roots.

How it works. The event, written in one fixed way, is hashed to a leaf (SHA-256 after a zero byte); its readable values
are covered by a commitment, the hash of a salt and of the values. Joined with the hashes of the path (SHA-256 after a
byte 1, RFC 6962) it leads to the root of a tree. That root, the root of the seal before, the number of events and the
time, hashed after a byte 2, are the root that was published. No other event leads there.
"""

import argparse
import json
import re
import sys
from hashlib import sha256
from typing import Any

FORMAT = "salesconnect-proof/1"
LARGEST = 50_000_000
WHOLE = {"format", "event", "path", "root", "sealed_at", "notes"}
EVENT = ("id", "at", "contact_id", "batch_id", "actor_id", "action", "door", "actor_name")
PATH = {"seal", "position", "events", "hashes", "previous", "settled"}
OPEN = {"authorization_type", "consent_date", "source_type", "source", "line", "suppressed", "into", "merged"}
"""Fields of the changes that are sealed unhashed; they stay when the rest is scrubbed."""

HASH, SALT = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{32}")
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


class ProofError(ValueError):
    """The file is not a valid proof; the message says why."""


def verify(content: bytes, root: str = "") -> str:
    """Return the root to which the proof leads. Raises `ProofError`, also where `root` is given and another one."""
    proof = _parse(content)
    event, path = _members(proof["event"], {*EVENT, "changes", "salt", "commitment"}), _members(proof["path"], PATH)
    _demand(proof["format"] == FORMAT, "It is no proof of the kind that this program knows.")
    _demand(_is(MOMENT, proof["sealed_at"]), "The time of the seal is malformed.")
    top = _climb(_leaf(event), path)
    covered = [path["seal"], top.hex(), path["previous"], path["events"], path["settled"], proof["sealed_at"]]
    reached = sha256(b"\x02" + canonical(covered)).hexdigest()
    _demand(reached == proof["root"], "The event does not lead to the root that the file names.")
    _demand(not root or reached == root.strip().lower(), "The root is not the one that was published.")
    return reached


def canonical(value: Any) -> bytes:
    """Return a value in the one form that is hashed: keys by length, then by bytes; UTF-8."""
    return json.dumps(_ordered(value), ensure_ascii=False, separators=(", ", ": ")).encode()


def _leaf(event: "dict[str, Any]") -> bytes:
    changes, salt, commitment = event["changes"], event["salt"], event["commitment"]
    _demand(isinstance(changes, dict) and _plain(changes), "The changes of the event are malformed.")
    _demand(_is(HASH, commitment) and _is(MOMENT, event["at"]), "The event is malformed.")
    parts = [event[name] for name in EVENT]
    _demand(all(_plain(part) and not isinstance(part, (dict, list)) for part in parts), "The event is malformed.")
    if salt is None:
        _demand(set(changes) <= OPEN, "It shows values that it does not prove.")
    else:
        _demand(_is(SALT, salt), "The salt is malformed.")
        made = sha256(bytes.fromhex(salt) + canonical(changes)).hexdigest()
        _demand(made == commitment, "The values of the event are not the ones that were sealed.")
    in_the_open = {name: value for name, value in changes.items() if name in OPEN}
    return sha256(b"\x00" + canonical([*parts, in_the_open, commitment])).digest()


def _climb(hashed: bytes, path: "dict[str, Any]") -> bytes:
    """Return the root of the tree (RFC 9162, 2.1.3.2)."""
    numbers = (path["seal"], path["position"], path["events"], path["settled"])
    _demand(all(type(number) is int for number in numbers), "The path is malformed.")
    position, last = path["position"], path["events"] - 1
    _demand(0 <= position <= last and _is(HASH, path["previous"]), "The path is malformed.")
    _demand(isinstance(path["hashes"], list) and all(_is(HASH, step) for step in path["hashes"]), "It is malformed.")
    for step in map(bytes.fromhex, path["hashes"]):
        _demand(last > 0, "The path is too long.")
        if position & 1 or position == last:
            hashed = sha256(b"\x01" + step + hashed).digest()
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            hashed = sha256(b"\x01" + hashed + step).digest()
        position, last = position >> 1, last >> 1
    _demand(last == 0, "The path is too short.")
    return hashed


def _parse(content: bytes) -> "dict[str, Any]":
    """Return the members of the file, which has to be written as JSON programs write it: nothing hides in between."""
    try:
        text = content.decode().rstrip("\n")
        value = json.loads(text)
        forms = [(None, (",", ":")), (None, (", ", ": ")), *((width, (",", ": ")) for width in (1, 2, 4))]
        written = any(
            text == json.dumps(value, ensure_ascii=plain, indent=indent, separators=separators)
            for plain in (False, True)
            for indent, separators in forms
        )
    except (ValueError, RecursionError):
        raise ProofError("It is no JSON file, or damaged.") from None
    members = _members(value, WHOLE)
    _demand(written, "The file was reformatted or damaged; take the original.")
    return members


def _members(value: Any, names: "set[str]") -> "dict[str, Any]":
    _demand(isinstance(value, dict) and set(value) == names, "The file has not the parts of a proof.")
    return value


def _plain(value: Any) -> bool:
    """Tell whether a value is made of what is sealed: texts, whole numbers, yes, no and nothing, in lists and names."""
    if isinstance(value, dict):
        return all(_plain(item) for item in value.values())
    return all(_plain(item) for item in value) if isinstance(value, list) else not isinstance(value, float)


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: (len(name.encode()), name.encode()))
        return {name: _ordered(value[name]) for name in names}
    return [_ordered(item) for item in value] if isinstance(value, list) else value


def _is(form: "re.Pattern[str]", value: Any) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None


def _demand(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ProofError(otherwise)


def main() -> int:
    """Verify the file that the command line names."""
    parser = argparse.ArgumentParser(description="Verify the proof of an event, offline.")
    parser.add_argument("proof", metavar="PROOF", help="the file that holds the proof")
    parser.add_argument("--root", metavar="HEX", default="", help="the root as it was published: 64 hexadecimal digits")
    options = parser.parse_args()
    try:
        _demand(not options.root or _is(HASH, options.root.strip().lower()), "A root has 64 hexadecimal digits.")
        with open(options.proof, "rb") as file:
            content = file.read(LARGEST + 1)
        _demand(len(content) <= LARGEST, "The file is too large to be a proof.")
        root = verify(content, options.root)
    except (ProofError, OSError, UnicodeError, RecursionError, MemoryError) as problem:
        sys.stdout.write("false\n")
        sys.stderr.write(f"{problem}\n")
        return 1
    sys.stdout.write("true\n")
    if not options.root:
        sys.stdout.write(
            "Without --root this proves only what the file itself claims. Compare the root with one that was\n"
            f"published where the keeper of the history cannot change it: {root}\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
