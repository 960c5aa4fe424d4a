"""A checkpoint: the ends of all chains at one moment under one signature, and how it is written down."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from quell.core.event import Json, canonical
from quell.core.merkle import Head
from quell.wire.errors import Malformed, Untrusted
from quell.wire.signing import CHECKPOINT, verify


@dataclass(frozen=True)
class Checkpoint:
    """`changed` is the JSON text of the heads [stream, seq, hash] that moved since `previous`, in order of stream.

    Together with all checkpoints before it, it names the head of every chain; `root` is the Merkle root over those,
    `heads` their number, `below_xid` the first transaction that was not looked at.
    """

    number: int
    at: datetime
    root: bytes
    heads: int
    below_xid: str
    changed: str
    previous: bytes
    digest: bytes = b""
    signature: bytes = b""

    def payload(self) -> bytes:
        """The exact bytes that are signed."""
        said: dict[str, Json] = {
            "number": self.number,
            "at": self.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "root": self.root.hex(),
            "heads": self.heads,
            "below_xid": self.below_xid,
            "changed": hashlib.sha256(self.changed.encode()).hexdigest(),
            "previous": self.previous.hex(),
        }
        return canonical(said).encode()

    def is_sound(self, public_key: str) -> bool:
        """Whether the owner of this key (64 hexadecimal digits) signed all of it."""
        if self.digest != digest_of(self.payload()):
            return False
        try:
            verify(public_key, CHECKPOINT, self.payload(), self.signature.hex())
        except (Malformed, Untrusted):
            return False
        return True

    def moved(self) -> list[Head]:
        """The heads that moved."""
        return [(str(stream), int(seq), bytes.fromhex(digest)) for stream, seq, digest in json.loads(self.changed)]


def digest_of(payload: bytes) -> bytes:
    """What the next checkpoint names as the one before it."""
    return hashlib.sha256(payload).digest()


def changed_text(heads: list[Head]) -> str:
    """The text of `changed`."""
    rows: list[Json] = [[stream, seq, digest.hex()] for stream, seq, digest in sorted(heads)]
    return canonical(rows)


def to_line(checkpoint: Checkpoint) -> str:
    """A checkpoint as one line of the file, without the line's end."""
    return canonical(
        {
            "number": checkpoint.number,
            "at": checkpoint.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "root": checkpoint.root.hex(),
            "heads": checkpoint.heads,
            "below_xid": checkpoint.below_xid,
            "changed": checkpoint.changed,
            "previous": checkpoint.previous.hex(),
            "digest": checkpoint.digest.hex(),
            "signature": checkpoint.signature.hex(),
        }
    )


def from_line(line: str) -> Checkpoint:
    """A checkpoint out of its line; raises ValueError when it is none."""
    found = json.loads(line)
    if not isinstance(found, dict):
        raise ValueError("a checkpoint is an object")
    try:
        return _from(found)
    except (KeyError, TypeError) as error:
        raise ValueError("a checkpoint lacks something") from error


def _from(found: Mapping[str, str]) -> Checkpoint:
    return Checkpoint(
        number=int(found["number"]),
        at=datetime.fromisoformat(found["at"]),
        root=bytes.fromhex(found["root"]),
        heads=int(found["heads"]),
        below_xid=str(found["below_xid"]),
        changed=str(found["changed"]),
        previous=bytes.fromhex(found["previous"]),
        digest=bytes.fromhex(found["digest"]),
        signature=bytes.fromhex(found["signature"]),
    )
