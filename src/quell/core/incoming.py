"""What a channel read out of a delivery: one thing that a person or a machine said, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Strength(StrEnum):
    """How sure we are who speaks, strongest first."""

    SIGNED = "signed"
    ALIGNED = "aligned"
    BARE = "bare"
    TEXT = "text"


class Said(StrEnum):
    """What sort of thing was said: words of a person, or the state of an alert."""

    WORDS = "words"
    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True)
class Party:
    """Who speaks: an address on the channel (mail address, Slack user, host name) and how sure that is."""

    address: str
    name: str | None = None
    strength: Strength = Strength.BARE
    email: str | None = None


@dataclass(frozen=True)
class Attachment:
    """A file that came along; `name` is already stripped of path parts."""

    name: str
    media_type: str
    content: bytes
    inline: bool = False


@dataclass(frozen=True)
class Incoming:
    """One message or one alert state.

    `source_key` is unique within the channel; saying it twice is the same thing said once.
    `thread` names earlier messages that this one answers, strongest first; `own_keys` are the names by which later
    ones will refer to this one. `identity` is a machine's stable name of the problem, shared by firing and resolve.
    `loop` holds the reasons why this must never be answered automatically (empty: it may be). `route` is what the
    channel's `send` needs to answer here, and is opaque to everyone else.
    """

    source_key: str
    said: Said
    text: str
    subject: str | None = None
    full_text: str | None = None
    sender: Party | None = None
    device: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    thread: tuple[str, ...] = ()
    own_keys: tuple[str, ...] = ()
    identity: str | None = None
    at: datetime | None = None
    attachments: tuple[Attachment, ...] = ()
    loop: tuple[str, ...] = ()
    route: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    organisation: str | None = None


@dataclass(frozen=True)
class Hook:
    """A request as a door received it, before anything was believed; header names are in lower case.

    A mail arrives in the same shape: `body` is the raw message, the envelope stands in the headers
    `x-envelope-from` and `x-envelope-to`.
    """

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"
    path: str = ""
    remote: str = ""


@dataclass(frozen=True)
class Receipt:
    """What a door does with a verified request: store it under this key (None: nothing to store), then answer this."""

    source_key: str | None
    status: int = 200
    body: bytes = b""
    media_type: str = "application/json"


@dataclass(frozen=True)
class Answer:
    """Words that go out to one reporter on his own channel.

    `route` is the report's latest `Incoming.route`; `automatic` marks what no person wrote (loop guards apply);
    `thread` holds the report's known keys, newest last; `idempotency` is stable over retries of the same answer.
    """

    text: str
    route: Mapping[str, str]
    report: int
    ticket: int | None
    subject: str | None = None
    thread: tuple[str, ...] = ()
    automatic: bool = True
    idempotency: str = ""
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True)
class Sent:
    """The keys under which replies to a sent answer will name it."""

    own_keys: tuple[str, ...] = ()
