"""Orders: exact bytes, one key, one device, ten minutes."""

import dataclasses
import json

import pytest

from quell.wire.canonical import canonical_bytes
from quell.wire.errors import Malformed, Untrusted
from quell.wire.orders import Order, SignedOrder, check_time, open_order, read_order, sign_order
from quell.wire.shape import to_json
from quell.wire.signing import MESSAGE, ORDER, new_key, public_hex, sign
from quell.wire.steps import FlushNames, NameResolves, RestartService, ServiceRuns

KEY = new_key()
PUBLIC = public_hex(KEY)
NOW = 1_700_000_000
PLAN = Order(
    id="o-1",
    kind="plan",
    device_id="d-1",
    issued=NOW,
    expires=NOW + 600,
    nonce="0" * 32,
    sequence=7,
    action="restart_service",
    params={"service": "nginx"},
    steps=(RestartService("nginx"),),
    ticket=4,
    fix=2,
)


def refused_with(signed: SignedOrder, device_id: str = "d-1", now: int = NOW) -> str:
    """The code of the refusal, which must come."""
    with pytest.raises(Untrusted) as refused:
        open_order(signed, PUBLIC, device_id, now)
    return refused.value.code


def test_an_order_comes_back_the_same() -> None:
    """What was signed is what is obeyed, field by field."""
    assert open_order(sign_order(PLAN, KEY), PUBLIC, "d-1", NOW + 599) == PLAN


def test_an_order_signed_by_another_key_is_refused() -> None:
    """A stranger's signature, even one that names our key, is not ours."""
    forged = sign_order(PLAN, new_key())
    assert refused_with(forged) == "bad_signature"
    assert refused_with(dataclasses.replace(forged, key=PUBLIC)) == "bad_signature"


def test_an_order_changed_after_signing_is_refused() -> None:
    """One byte is enough."""
    signed = sign_order(PLAN, KEY)
    assert refused_with(dataclasses.replace(signed, text=signed.text.replace("nginx", "named"))) == "bad_signature"
    assert refused_with(dataclasses.replace(signed, text=signed.text + " ")) == "bad_signature"


def test_a_signature_for_another_purpose_is_refused() -> None:
    """A message that happens to read like an order is no order."""
    signed = sign_order(PLAN, KEY)
    other = sign(KEY, MESSAGE, signed.text.encode())
    assert refused_with(dataclasses.replace(signed, signature=other)) == "bad_signature"


def test_an_order_for_another_device_is_refused() -> None:
    """Bound to one device, so that no order can be carried elsewhere."""
    assert refused_with(sign_order(PLAN, KEY), device_id="d-2") == "other_device"


def test_an_order_ends_on_the_second() -> None:
    """At its end an order is over, and one from the future has not begun."""
    assert refused_with(sign_order(PLAN, KEY), now=NOW + 600) == "expired"
    assert refused_with(sign_order(PLAN, KEY), now=NOW - 121) == "not_yet_valid"
    check_time(PLAN, NOW - 120)


def test_a_signed_order_in_another_spelling_is_refused() -> None:
    """Even the right key cannot sign a second spelling of the same order."""
    text = json.dumps(to_json(PLAN), indent=1)
    assert refused_with(SignedOrder(text, sign(KEY, ORDER, text.encode()), PUBLIC)) == "malformed"


def test_a_signed_order_with_an_unknown_field_is_refused() -> None:
    """A device does not obey what it only half understands."""
    written = to_json(PLAN)
    assert isinstance(written, dict)
    body = canonical_bytes({**written, "as_root": True})
    assert refused_with(SignedOrder(body.decode(), sign(KEY, ORDER, body), PUBLIC)) == "malformed"


@pytest.mark.parametrize(
    "change",
    [
        {"expires": NOW + 601},
        {"expires": NOW},
        {"nonce": "0" * 31},
        {"nonce": "G" * 32},
        {"sequence": 0},
        {"steps": ()},
        {"steps": (ServiceRuns("nginx"),)},
        {"steps": (RestartService("nginx"),) * 11},
        {"kind": "check"},
        {"kind": "apply"},
        {"kind": "apply", "plan_hash": "0" * 64},
        {"kind": "apply", "plan_hash": "0" * 63, "consent": 1},
        {"kind": "undo", "plan_hash": "0" * 64, "consent": 1, "fix": None},
        {"kind": "look"},
        {"action": ""},
        {"action": "rm -rf"},
        {"params": {"a b": "c"}},
        {"params": {"a": "x" * 301}},
        {"params": {"a": "\x00"}},
        {"device_id": ""},
        {"id": "a b"},
        {"fix": 0},
        {"version": 2},
    ],
    ids=str,
)
def test_an_order_that_no_honest_server_writes_cannot_be_made(change: dict[str, object]) -> None:
    """The bounds hold on both sides, before anything is signed and before anything is obeyed."""
    with pytest.raises(Malformed):
        dataclasses.replace(PLAN, **change)  # type: ignore[arg-type]


def test_apply_names_the_plan_and_the_consent() -> None:
    """With both, it is a good order."""
    apply = dataclasses.replace(PLAN, kind="apply", plan_hash="a" * 64, consent=9)
    assert read_order(sign_order(apply, KEY)) == apply


def test_probes_can_be_looked_at_and_checked() -> None:
    """The kinds that change nothing take probes only."""
    look = dataclasses.replace(PLAN, kind="look", action="", params={}, steps=(NameResolves("a.example"),), fix=None)
    assert read_order(sign_order(look, KEY)) == look
    with pytest.raises(Malformed):
        dataclasses.replace(look, steps=(FlushNames(),))


def test_the_digest_tells_orders_apart() -> None:
    """The device knows an order again by its bytes."""
    signed = sign_order(PLAN, KEY)
    assert signed.digest == sign_order(PLAN, KEY).digest
    assert signed.digest != sign_order(dataclasses.replace(PLAN, sequence=8), KEY).digest
