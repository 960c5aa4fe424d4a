"""Orders: what a server asks of one device, signed by a key that the web never sees, bound and expiring."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quell.wire.bounds import check_hex, check_name, check_range, check_text, check_token
from quell.wire.canonical import INTEGER_MAX, canonical_bytes, parse_canonical, sha256_hex
from quell.wire.errors import Malformed, Untrusted
from quell.wire.shape import from_json, to_json
from quell.wire.signing import KEY_DIGITS, ORDER, SIGNATURE_DIGITS, fingerprint, public_hex, sign, verify
from quell.wire.steps import STEPS_MAX, Step, is_change

OrderKind = Literal["look", "plan", "apply", "check", "undo"]

ORDER_SECONDS_MAX = 600
CLOCK_SKEW_S_MAX = 120
ORDER_BYTES_MAX = 64 * 1024
NONCE_DIGITS = 32
HASH_DIGITS = 64
PARAMETERS_MAX = 20
PARAMETER_CHARACTERS_MAX = 300


@dataclass(frozen=True)
class Order:
    """One thing that one device shall do once; times are whole seconds since 1970, UTC.

    `look` takes telemetry (and probes), `plan` tells what the changes would do, `apply` makes the changes of the plan
    that it names by hash, `check` probes whether it worked, `undo` takes the applied plan of the same fix back.
    `sequence` grows with every order to this device. `consent` is the id of the leave that the signer saw.
    """

    id: str
    kind: OrderKind
    device_id: str
    issued: int
    expires: int
    nonce: str
    sequence: int
    action: str = ""
    action_version: int = 1
    params: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    ticket: int | None = None
    fix: int | None = None
    consent: int | None = None
    plan_hash: str = ""
    version: int = 1

    CHANGING: ClassVar[frozenset[str]] = frozenset({"plan", "apply", "undo"})

    def __post_init__(self) -> None:
        """Refuse an order that no honest server would write."""
        if self.version != 1:
            raise Malformed("version", "is not 1; this side is too old or too new")
        self._check_words()
        self._check_numbers()
        self._check_steps()
        if self.kind in ("apply", "undo"):
            check_hex("plan_hash", self.plan_hash, HASH_DIGITS)
            if self.fix is None or self.consent is None:
                raise Malformed("consent", f"and fix must be named to {self.kind}")

    def _check_words(self) -> None:
        check_token("id", self.id)
        check_token("device_id", self.device_id)
        check_hex("nonce", self.nonce, NONCE_DIGITS)
        if self.action or self.kind != "look":
            check_name("action", self.action)
        if self.plan_hash:
            check_hex("plan_hash", self.plan_hash, HASH_DIGITS)
        if len(self.params) > PARAMETERS_MAX:
            raise Malformed("params", f"has more than {PARAMETERS_MAX}")
        for name, value in self.params.items():
            check_name("params", name)
            check_text(f"params.{name}", value, PARAMETER_CHARACTERS_MAX)

    def _check_numbers(self) -> None:
        check_range("sequence", self.sequence, 1, INTEGER_MAX)
        check_range("action_version", self.action_version, 1, 1000)
        check_range("issued", self.issued, 0, INTEGER_MAX)
        check_range("expires", self.expires, self.issued + 1, self.issued + ORDER_SECONDS_MAX)
        for name, value in (("ticket", self.ticket), ("fix", self.fix), ("consent", self.consent)):
            if value is not None:
                check_range(name, value, 1, INTEGER_MAX)

    def _check_steps(self) -> None:
        if len(self.steps) > STEPS_MAX:
            raise Malformed("steps", f"has more than {STEPS_MAX} steps")
        if not self.steps and self.kind not in ("look", "undo"):
            raise Malformed("steps", f"must not be empty to {self.kind}")
        for index, step in enumerate(self.steps):
            if is_change(step) != (self.kind in self.CHANGING):
                raise Malformed(f"steps[{index}]", f"is not a step that one can {self.kind}")


@dataclass(frozen=True)
class SignedOrder:
    """An order as it travels: its exact canonical text, the signature over those bytes, and whose key it was."""

    text: str
    signature: str
    key: str

    def __post_init__(self) -> None:
        """Refuse what is out of bounds."""
        if len(self.text) > ORDER_BYTES_MAX:
            raise Malformed("text", f"is longer than {ORDER_BYTES_MAX}")
        check_hex("signature", self.signature, SIGNATURE_DIGITS)
        check_hex("key", self.key, KEY_DIGITS)

    @property
    def digest(self) -> str:
        """The SHA-256 of the order's bytes: two orders are the same when these are."""
        return sha256_hex(self.text.encode())


def sign_order(order: Order, key: Ed25519PrivateKey) -> SignedOrder:
    """Write the order down in exact bytes and sign them."""
    body = canonical_bytes(to_json(order))
    return SignedOrder(body.decode(), sign(key, ORDER, body), public_hex(key))


def read_order(signed: SignedOrder) -> Order:
    """What an order says, without believing it; raises Malformed."""
    return from_json(Order, parse_canonical(signed.text.encode(), ORDER_BYTES_MAX), "order")


def open_order(signed: SignedOrder, order_key: str, device_id: str, now: int) -> Order:
    """The order, if the pinned key signed it for this device and its time is now.

    Raises Untrusted with `malformed`, `bad_signature`, `other_device`, `expired` or `not_yet_valid`. Whether it came
    before (`replayed`) only the device's ledger can tell.
    """
    try:
        verify(order_key, ORDER, signed.text.encode(), signed.signature)
        order = read_order(signed)
    except Malformed as error:
        raise Untrusted("malformed", str(error)) from error
    if order.device_id != device_id:
        raise Untrusted("other_device", f"the order is for device {order.device_id}")
    check_time(order, now)
    return order


def check_time(order: Order, now: int) -> None:
    """Raise Untrusted (`expired`, `not_yet_valid`) unless the order may be started now."""
    if now >= order.expires:
        raise Untrusted("expired", f"the order ran out {now - order.expires} s ago")
    if now < order.issued - CLOCK_SKEW_S_MAX:
        raise Untrusted("not_yet_valid", f"the order begins in {order.issued - now} s; is the device's clock right?")


def device_id(number: int, public_key: str) -> str:
    """The name by which orders and messages call a device: its number and its key, so that a name is never used again.

    A device that enrols anew has a new key and hence a new name; what was meant for the old one reaches nobody.
    """
    return f"{number}-{fingerprint(public_key)}"


def device_number(name: str) -> int:
    """The number in a device's name; raises Malformed."""
    number, _, key = name.partition("-")
    if not (number.isascii() and number.isdigit() and len(number) < 16 and key):
        raise Malformed("device_id", "is not the name of a device")
    return int(number)
