"""Messages between device and server: enrol, poll, results, reports; every one from a device is signed by its key."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quell.wire.bounds import check_hex, check_host, check_range, check_text, check_token
from quell.wire.canonical import INTEGER_MAX, canonical_bytes, parse_canonical, parse_json
from quell.wire.errors import Malformed, Untrusted
from quell.wire.orders import NONCE_DIGITS, SignedOrder
from quell.wire.results import Result
from quell.wire.shape import from_json, to_json
from quell.wire.signing import FINGERPRINT_DIGITS, KEY_DIGITS, MESSAGE, fingerprint, sign, verify
from quell.wire.telemetry import Status

ENROL_PATH = "/agent/v1/enrol"
POLL_PATH = "/agent/v1/poll"
RESULTS_PATH = "/agent/v1/results"
REPORTS_PATH = "/agent/v1/reports"
SIGNATURE_HEADER = "quell-signature"

MESSAGE_BYTES_MAX = 1024 * 1024
MESSAGE_AGE_S_MAX = 300
WAIT_S_MAX = 55
ORDERS_MAX = 10
RESULTS_MAX = 20
REPORTS_MAX = 20
SECRET_DIGITS = 48


@dataclass(frozen=True)
class Head:
    """The end of the device's own hash-chained ledger: the server that keeps it can tell later if it was changed."""

    entries: int
    hash: str


@dataclass(frozen=True)
class EnrolRequest:
    """A device that wants in: a single-use token and the public half of the key that it just made."""

    token: str
    public_key: str
    hostname: str
    os: str
    agent_version: str
    at: int
    nonce: str
    kind: ClassVar[str] = "enrol"

    def __post_init__(self) -> None:
        """Refuse what is out of bounds."""
        split_token(self.token)
        check_hex("public_key", self.public_key, KEY_DIGITS)
        check_host("hostname", self.hostname)
        check_text("os", self.os, 100)
        check_text("agent_version", self.agent_version, 40)
        _check_stamp(self.at, self.nonce)


@dataclass(frozen=True)
class EnrolResponse:
    """The device's name for ever, and the public key whose orders it shall obey; the device pins that key."""

    device_id: str
    order_key: str
    at: int

    def __post_init__(self) -> None:
        """Refuse what is out of bounds."""
        check_token("device_id", self.device_id)
        check_hex("order_key", self.order_key, KEY_DIGITS)


@dataclass(frozen=True)
class Poll:
    """Anything for me? The server may wait up to `wait_s` seconds before it says no."""

    device_id: str
    at: int
    nonce: str
    wait_s: int
    status: Status
    head: Head
    agent_version: str = ""
    kind: ClassVar[str] = "poll"

    def __post_init__(self) -> None:
        """Refuse what is out of bounds."""
        check_token("device_id", self.device_id)
        check_range("wait_s", self.wait_s, 0, WAIT_S_MAX)
        _check_stamp(self.at, self.nonce)


@dataclass(frozen=True)
class PollResponse:
    """The orders that have no result yet, by rising sequence; each may be sent again until its result came."""

    orders: tuple[SignedOrder, ...]
    at: int


@dataclass(frozen=True)
class Results:
    """What came of orders; sent again until acknowledged, so the server keeps the first result for an order."""

    device_id: str
    at: int
    nonce: str
    results: tuple[Result, ...]
    head: Head
    kind: ClassVar[str] = "results"

    def __post_init__(self) -> None:
        """Refuse what is out of bounds."""
        check_token("device_id", self.device_id)
        check_range("results", len(self.results), 1, RESULTS_MAX)
        _check_stamp(self.at, self.nonce)


@dataclass(frozen=True)
class Report:
    """Something that the device saw itself; a firing and its resolve share `identity`, `key` is unique on the device.

    `fields` are facts by which a fix can be found: `check`, `mount`, `service`, measured numbers as text.
    """

    key: str
    identity: str
    said: Literal["firing", "resolved"]
    subject: str
    text: str
    at: int
    fields: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what is out of bounds."""
        check_token("key", self.key)
        check_text("identity", self.identity, 300)
        check_text("subject", self.subject, 300)
        check_text("text", self.text, 4_000)


@dataclass(frozen=True)
class Reports:
    """What the device saw itself; sent again until acknowledged."""

    device_id: str
    at: int
    nonce: str
    reports: tuple[Report, ...]
    kind: ClassVar[str] = "reports"

    def __post_init__(self) -> None:
        """Refuse what is out of bounds."""
        check_token("device_id", self.device_id)
        check_range("reports", len(self.reports), 1, REPORTS_MAX)
        _check_stamp(self.at, self.nonce)


@dataclass(frozen=True)
class Acknowledged:
    """The order ids of results, or the keys of reports, that the server has stored."""

    acknowledged: tuple[str, ...]


Told = TypeVar("Told", bound=EnrolRequest | Poll | Results | Reports)
Answered = TypeVar("Answered", bound=EnrolResponse | PollResponse | Acknowledged)


def write_message(message: EnrolRequest | Poll | Results | Reports, key: Ed25519PrivateKey) -> tuple[bytes, str]:
    """The exact body of a device's request and the signature for its `Quell-Signature` header."""
    body = canonical_bytes(to_json(message))
    return body, sign(key, MESSAGE, body)


def claimed_device(body: bytes) -> str:
    """Which device a message claims to come from, so that its key can be looked up; nothing is believed yet."""
    value = parse_json(body, MESSAGE_BYTES_MAX)
    device_id = value.get("device_id") if isinstance(value, Mapping) else None
    if not isinstance(device_id, str):
        raise Malformed("device_id", "is missing")
    check_token("device_id", device_id)
    return device_id


def open_message(cls: type[Told], body: bytes, signature: str, public_key: str, now: int) -> Told:
    """The message, if this key signed exactly these bytes within the last five minutes.

    Raises Malformed, or Untrusted with `bad_signature` or `stale`. The server refuses a nonce that it saw from this
    device within that time (`replayed`).
    """
    if len(body) > MESSAGE_BYTES_MAX:
        raise Malformed("$", f"is longer than {MESSAGE_BYTES_MAX} bytes")
    verify(public_key, MESSAGE, body, signature)
    message = from_json(cls, parse_canonical(body, MESSAGE_BYTES_MAX), "message", strict=False)
    if abs(now - message.at) > MESSAGE_AGE_S_MAX:
        raise Untrusted("stale", f"the device's clock differs by {message.at - now} s")
    return message


def open_enrolment(body: bytes, signature: str, now: int) -> EnrolRequest:
    """The request of a device that nobody knows yet: it must hold the private half of the key that it names."""
    value = parse_json(body, MESSAGE_BYTES_MAX)
    public_key = value.get("public_key") if isinstance(value, Mapping) else None
    if not isinstance(public_key, str):
        raise Malformed("public_key", "is missing")
    return open_message(EnrolRequest, body, signature, public_key, now)


def write_response(response: EnrolResponse | PollResponse | Acknowledged) -> bytes:
    """The body of the server's answer."""
    return canonical_bytes(to_json(response))


def read_response(cls: type[Answered], body: bytes) -> Answered:
    """The server's answer; raises Malformed."""
    return from_json(cls, parse_json(body, MESSAGE_BYTES_MAX), "answer", strict=False)


def make_token(secret: str, order_key: str) -> str:
    """An enrolment token: a single-use secret (48 hexadecimal digits) and the fingerprint of the key to be pinned."""
    check_hex("secret", secret, SECRET_DIGITS)
    return f"quell-{secret}-{fingerprint(order_key)}"


def split_token(token: str) -> tuple[str, str]:
    """The secret and the fingerprint in an enrolment token; raises Malformed."""
    parts = token.split("-")
    if len(parts) != 3 or parts[0] != "quell":
        raise Malformed("token", "is not an enrolment token")
    check_hex("token", parts[1], SECRET_DIGITS)
    check_hex("token", parts[2], FINGERPRINT_DIGITS)
    return parts[1], parts[2]


def check_order_key(token: str, order_key: str) -> None:
    """Raise Untrusted (`other_key`) unless the key is the one that whoever made the token meant."""
    if not hmac.compare_digest(split_token(token)[1], fingerprint(order_key)):
        raise Untrusted("other_key", "the server's order key is not the one in the token")


def _check_stamp(at: int, nonce: str) -> None:
    check_range("at", at, 0, INTEGER_MAX)
    check_hex("nonce", nonce, NONCE_DIGITS)
