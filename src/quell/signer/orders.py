"""Which orders the signer signs: it works them out itself from fix, consent and action, and keeps the fleet caps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quell.core.consent import Consent, check_consent
from quell.core.errors import Broken, Refused
from quell.seams import Action
from quell.signer.journal import Journal, Signed
from quell.wire.orders import ORDER_SECONDS_MAX, Order, OrderKind, SignedOrder, device_id, sign_order
from quell.wire.steps import Step

FLEET_DEVICES_MIN = 5
FLEET_PERCENT = 2
WINDOW_S = 3600


@dataclass(frozen=True)
class DeviceFacts:
    """What the database says of a device; `public_key` (64 hexadecimal digits) is None until it is enrolled."""

    number: int
    public_key: str | None
    revoked: bool = False


@dataclass(frozen=True)
class FixFacts:
    """What the database says of a fix; `plan_hash` is None until the device has told its plan."""

    id: int
    ticket: int
    device: DeviceFacts
    action: str
    params: Mapping[str, str] = field(default_factory=dict)
    plan_hash: str | None = None


class Ledger(Protocol):
    """What the signer reads for itself, in the database, and the counter it keeps there."""

    async def find_fix(self, fix: int) -> FixFacts | None:
        """The fix with its device."""

    async def find_device(self, device: int) -> DeviceFacts | None:
        """A device by its number."""

    async def find_consent(self, fix: int) -> Consent | None:
        """The latest consent to this fix, withdrawn or not."""

    async def allowed_actions(self) -> frozenset[str]:
        """The actions that the company allows."""

    async def count_devices(self) -> int:
        """How many devices are enrolled."""

    async def next_sequence(self, device: int, least: int) -> int:
        """A number for the next order to this device, above all before it and not below `least`; committed."""


@dataclass(frozen=True)
class Ask:
    """What somebody wants signed: a kind of order for a fix, or a `look` at a device for a ticket."""

    kind: OrderKind
    fix: int | None = None
    device: int | None = None
    ticket: int | None = None


class OrderDesk:
    """Signs orders that are right, and raises Refused (with a code) for all others; never signs what it was handed."""

    def __init__(
        self,
        key: Ed25519PrivateKey,
        ledger: Ledger,
        journal: Journal,
        actions: Mapping[str, Action],
        nonce: Callable[[], str],
    ) -> None:
        """The key signs; `nonce` gives 32 fresh hexadecimal digits."""
        self._key = key
        self._ledger = ledger
        self._journal = journal
        self._actions = actions
        self._nonce = nonce

    async def sign(self, ask: Ask, at: datetime) -> SignedOrder:
        """Judge and sign; `at` is now."""
        now = int(at.timestamp())
        if ask.kind == "look":
            return await self._look(ask, now)
        fix = await self._fix(ask)
        consent = await self._leave(ask.kind, fix, at)
        steps = self._steps(ask.kind, fix)
        out = self._journal.pending(fix.id, ask.kind, now)
        if out is not None:
            return _the_same_again(out, fix)
        if ask.kind == "apply":
            await self._keep_caps(fix, now)
        order = await self._order(ask.kind, fix.device, now, fix=fix, steps=steps, consent=consent)
        signed = sign_order(order, self._key)
        if ask.kind in ("apply", "undo"):
            self._journal.add(_entry(order, signed, fix, now))
        return signed

    async def _look(self, ask: Ask, now: int) -> SignedOrder:
        if ask.fix is not None:
            fix = await self._fix(ask)
            return sign_order(await self._order("look", fix.device, now, fix=fix), self._key)
        device = await self._ledger.find_device(ask.device) if ask.device is not None else None
        if device is None:
            raise Refused("there is no such device", 404, "no_device")
        return sign_order(await self._order("look", device, now, ticket=ask.ticket), self._key)

    async def _fix(self, ask: Ask) -> FixFacts:
        fix = await self._ledger.find_fix(ask.fix) if ask.fix is not None else None
        if fix is None:
            raise Refused("there is no such fix", 404, "no_fix")
        if fix.action not in self._actions:
            raise Refused(f"there is no action {fix.action}", 422, "no_action")
        if fix.action not in await self._ledger.allowed_actions():
            raise Refused(f"the company does not allow {fix.action}", 403, "action_not_allowed")
        return fix

    async def _leave(self, kind: OrderKind, fix: FixFacts, at: datetime) -> Consent | None:
        """The consent that fits: still good to apply; to undo it is enough that there was one for this plan."""
        if kind not in ("apply", "undo"):
            return None
        consent = await self._ledger.find_consent(fix.id)
        if fix.plan_hash is None:
            raise Refused("the device has not told its plan yet", 409, "no_plan")
        if kind == "apply":
            check_consent(consent, fix.plan_hash, at)
        elif consent is None or consent.plan_hash != fix.plan_hash:
            raise Refused("nobody agreed to this plan, so there is nothing to undo", 409, "never_agreed")
        return consent

    def _steps(self, kind: OrderKind, fix: FixFacts) -> tuple[Step, ...]:
        action = self._actions[fix.action]
        if kind == "check":
            return action.check(fix.params)
        if kind == "undo":
            undo = action.undo(fix.params)
            if not undo:
                code = "irreversible" if undo is None else "nothing_to_undo"
                raise Refused(f"{fix.action} has no way back", 409, code)
            return undo
        return action.plan(fix.params)

    async def _keep_caps(self, fix: FixFacts, now: int) -> None:
        devices = self._journal.devices(fix.action, now) | {fix.device.number}
        most = max(FLEET_DEVICES_MIN, await self._ledger.count_devices() * FLEET_PERCENT // 100)
        if len(devices) > most:
            says = f"{fix.action} may run on at most {most} devices an hour"
            raise Refused(says, 429, "fleet_cap", retry_after_s=WINDOW_S)

    async def _order(
        self,
        kind: OrderKind,
        device: DeviceFacts,
        now: int,
        *,
        fix: FixFacts | None = None,
        steps: tuple[Step, ...] = (),
        consent: Consent | None = None,
        ticket: int | None = None,
    ) -> Order:
        """Numbers come from the clock, so that they rise even after the database was restored from a backup."""
        if device.public_key is None:
            raise Refused("the device is not enrolled", 409, "not_enrolled")
        if device.revoked:
            raise Refused("the device was shut out", 409, "revoked")
        nonce = self._nonce()
        plan = fix.plan_hash if fix is not None and kind in ("apply", "undo") else None
        sequence = await self._ledger.next_sequence(device.number, now * 1000)
        if sequence < now * 1000:
            raise Broken("the database counted backwards")
        return Order(
            id=nonce,
            kind=kind,
            device_id=device_id(device.number, device.public_key),
            issued=now,
            expires=now + ORDER_SECONDS_MAX,
            nonce=nonce,
            sequence=sequence,
            action=fix.action if fix is not None else "",
            params=dict(fix.params) if fix is not None else {},
            steps=steps,
            ticket=fix.ticket if fix is not None else ticket,
            fix=fix.id if fix is not None else None,
            consent=consent.id if consent is not None else None,
            plan_hash=plan or "",
        )


def _entry(order: Order, signed: SignedOrder, fix: FixFacts, now: int) -> Signed:
    return Signed(now, order.expires, order.kind, fix.action, fix.device.number, fix.id, order.plan_hash, signed)


def _the_same_again(out: Signed, fix: FixFacts) -> SignedOrder:
    """Whoever was stopped before he could keep an order gets that very order again, never a second one."""
    if out.plan_hash != fix.plan_hash:
        raise Refused("an order for another plan of this fix is still out", 409, "already_signed")
    return out.order
