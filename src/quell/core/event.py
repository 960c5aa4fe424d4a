"""One thing that happened to one stream, and the hash chain that makes a changed past visible."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from quell.core.errors import Broken

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

START_HASH = b"\0" * 32
BODY_BYTES_MAX = 64 * 1024


@dataclass(frozen=True)
class Event:
    """A past-tense fact. `stream` is like `ticket:12`, `seq` counts from 1 in its stream, `actor` says who did it.

    `body` holds no personal text: words, addresses and files are content rows, named by id and salted digest.
    """

    stream: str
    seq: int
    kind: str
    at: datetime
    actor: str
    body: Mapping[str, Json]


@dataclass(frozen=True)
class Link:
    """An event as it stands in the chain: its own text, the hash before it and its hash (32 bytes each)."""

    event: Event
    text: str
    previous: bytes
    hash: bytes


def canonical(value: Json | Mapping[str, Json]) -> str:
    """The one JSON text of a value: sorted keys, no spaces, UTF-8; NaN and infinity are refused."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def body_text(body: Mapping[str, Json]) -> str:
    """The text of a body as it is stored and hashed; too long a body is our own bug."""
    text = canonical(body)
    if len(text.encode()) > BODY_BYTES_MAX:
        raise Broken(f"an event's body has more than {BODY_BYTES_MAX} bytes: long texts belong into content rows")
    return text


def chain_hash(previous: bytes, stream: str, seq: int, kind: str, at: datetime, actor: str, text: str) -> bytes:
    """SHA-256 over the hash before and every column that a reader relies on; the time is taken in UTC."""
    when = at.astimezone(UTC).isoformat(timespec="microseconds")
    head = canonical([stream, seq, kind, when, actor])
    return hashlib.sha256(previous + head.encode() + b"\n" + text.encode()).digest()


def link(event: Event, previous: bytes) -> Link:
    """The event hung onto the chain that ends in `previous`."""
    text = body_text(event.body)
    digest = chain_hash(previous, event.stream, event.seq, event.kind, event.at, event.actor, text)
    return Link(event, text, previous, digest)


def content_digest(salt: bytes, body: bytes) -> bytes:
    """What an event carries in place of words: without the salt nobody can guess the words from it."""
    return hashlib.sha256(salt + body).digest()
