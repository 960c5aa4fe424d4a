"""Makes it right, with leave: offers a fix, has the device plan it, waits for consent, applies, checks, takes back."""

from collections.abc import Mapping

from quell.core.errors import Refused, TryAgain
from quell.core.event import Json
from quell.core.reading import Reason
from quell.core.ticket import reasons_json
from quell.journey import tasks
from quell.journey.fix.decide import Next, Signs, after_apply, after_check, after_undo, offer, runs_alone
from quell.journey.house import House
from quell.store import companies, devices, evidence, fixes, gates, incidents, reports, tickets
from quell.store.change import Change
from quell.store.fixes import Fix, Ordered
from quell.store.jobs import Job
from quell.wire.canonical import Json as WireJson
from quell.wire.errors import Malformed
from quell.wire.orders import OrderKind
from quell.wire.results import PlanResult, plan_hash
from quell.wire.shape import from_json

ACTOR = "rule:fix"
GATE = "gate:fix"
_KINDS: Mapping[str, OrderKind] = {"plan": "plan", "apply": "apply", "check": "check", "undo": "undo"}


async def offer_fix(house: House, number: int) -> None:
    """Offer the known fix for a ticket, if there is one for its device; safe to run twice."""
    async with house.store.read() as connection:
        state = await tickets.load(connection, number)
        report = await reports.load(connection, state.report)
        if report.device is None or not state.is_open or await fixes.of_tickets(connection, [number]):
            return
        company = await companies.required(connection)
        seen = [each for each in await evidence.of_tickets(connection, [number]) if each.kind == "telemetry"]
        telemetry = seen[0].body.get("telemetry") if seen else None
        device = report.device
    allowed = frozenset(each.key for each in company.actions) & frozenset(house.actions)
    found = offer(Signs(report.labels, telemetry if isinstance(telemetry, dict) else {}), allowed)
    if found is not None:
        await propose(house, number, device, found.action, found.params, found.reasons, ACTOR)


async def propose(
    house: House,
    number: int,
    device: int,
    action: str,
    params: Mapping[str, str],
    reasons: tuple[Reason, ...],
    actor: str,
) -> int:
    """Propose a fix and have the device plan it; its id. Refused for parameters out of bounds."""
    if action not in house.actions:
        raise Refused(f"there is no action {action}", 422, "no_action")
    house.actions[action].plan(params)
    async with house.store.change() as change:
        known = await devices.load(change.connection, device)
        if not known.reachable:
            raise Refused(f"no agent that we trust runs on {known.hostname}", 409, "not_enrolled")
        made = await fixes.add(change, number, device, action, params, reasons_json(reasons), actor)
        body: dict[str, Json] = {"fix": made, "action": action, "device": device}
        await tickets.record(change, number, "fix_proposed", actor, body)
        await _regather(change, number)
        change.later(Job(tasks.ORDER, {"fix": made, "kind": "check"}))
        change.later(Job(tasks.ORDER, {"fix": made, "kind": "plan"}))
    return made


async def give_order(house: House, fix: int, kind: str) -> None:
    """Have an order signed and put it into the device's list; safe to run twice."""
    async with house.store.read() as connection:
        now = await fixes.load(connection, fix)
        if not await _is_wanted(house, now, kind, await fixes.orders_of(connection, fix)):
            return
    try:
        signed = await house.signer.sign_order(_KINDS[kind], fix=fix)
    except Refused as refused:
        await _stop(house, fix, "failed", f"the order was not signed: {refused.says}")
        return
    async with house.store.change() as change:
        before = await fixes.load(change.connection, fix, lock=True)
        if not await _is_wanted(house, before, kind, await fixes.orders_of(change.connection, fix)):
            return
        await fixes.add_order(change, signed, kind, before.device, fix, before.ticket)
        if kind == "plan":
            await fixes.update(change, fix, state="planning")
        if kind == "apply":
            await fixes.update(change, fix, state="applying")
        body: dict[str, Json] = {"fix": fix, "order": kind, "sequence": signed.order.sequence}
        await tickets.record(change, before.ticket, "fix_ordered", "signer", body)
        await _regather(change, before.ticket)


async def _is_wanted(house: House, fix: Fix, kind: str, orders: list[Ordered]) -> bool:
    mine = [each for each in orders if each.kind == kind]
    if any(each.state == "waiting" and each.expires_at > house.store.clock() for each in mine):
        return False
    if kind == "check" and fix.state == "checking":
        applied = [each.id for each in orders if each.kind == "apply"]
        return not any(each.id > max(applied, default=0) for each in mine)
    wanted = {"plan": ("proposed", "planning"), "check": ("proposed",), "apply": ("agreed",), "undo": ("undoing",)}
    return fix.state in wanted[kind]


async def consent(house: House, fix: int, named_hash: str, actor: str) -> None:
    """Agree to exactly the plan with this hash; the apply order follows. Refused (409) for any other plan."""
    async with house.store.change() as change:
        now = await fixes.load(change.connection, fix, lock=True)
        if now.state != "planned" or now.plan_hash is None:
            raise Refused(f"this fix is {now.state} and cannot be approved", 409, "not_planned")
        if now.plan_hash != named_hash:
            raise Refused("the plan has changed since it was shown", 409, "other_plan")
        await _agree(change, now, actor)


async def _agree(change: Change, now: Fix, actor: str) -> None:
    assert now.plan_hash is not None
    given = await fixes.agree(change, now.id, now.plan_hash, actor)
    await fixes.update(change, now.id, state="agreed")
    body: dict[str, Json] = {"fix": now.id, "consent": given, "plan": now.plan_hash}
    await tickets.record(change, now.ticket, "fix_consented", actor, body)
    await _regather(change, now.ticket)
    change.later(Job(tasks.ORDER, {"fix": now.id, "kind": "apply"}, urgent=True))


async def refuse(house: House, fix: int, actor: str) -> None:
    """Refuse a fix before it runs; nothing is done."""
    async with house.store.change() as change:
        now = await fixes.load(change.connection, fix, lock=True)
        if now.state not in ("proposed", "planning", "planned", "agreed"):
            raise Refused(f"this fix is {now.state} and cannot be refused any more", 409, "too_late")
        await fixes.withdraw(change, fix)
        await fixes.update(change, fix, state="refused")
        await tickets.record(change, now.ticket, "fix_refused", actor, {"fix": fix})
        await _regather(change, now.ticket)


async def go_on(house: House, order: int) -> None:
    """Take a device's answer to one order of a fix and do what follows from it; safe to run twice."""
    async with house.store.read() as connection:
        found = await fixes.order(connection, order)
    if found is None or found.result is None or found.fix is None:
        raise TryAgain(f"order {order} has no answer yet")
    steps = {"plan": _take_plan, "apply": _take_apply, "check": _take_check, "undo": _take_undo}
    await steps[found.kind](house, found, found.fix)


async def _take_plan(house: House, order: Ordered, fix: int) -> None:
    refused = _refusal(order)
    if refused is not None:
        await _stop(house, fix, "failed", f"the device refused to plan: {refused}")
        return
    try:
        planned = from_json(PlanResult, _as_json(order.result), "result", strict=False)
    except Malformed as error:
        await _stop(house, fix, "failed", f"the device's plan cannot be read: {error}")
        return
    if plan_hash(planned.plan) != planned.hash:
        await _stop(house, fix, "failed", "the device's plan does not have the hash that it names")
        return
    async with house.store.change() as change:
        now = await fixes.load(change.connection, fix, lock=True)
        if now.state not in ("proposed", "planning"):
            return
        await fixes.update(change, fix, state="planned", plan=order.result, plan_hash=planned.hash)
        body: dict[str, Json] = {"fix": fix, "plan": planned.hash}
        await tickets.record(change, now.ticket, "fix_planned", f"device:{now.device}", body)
        await _regather(change, now.ticket)
        state = await tickets.load(change.connection, await incidents.root_of(change.connection, now.ticket))
        ceiling = (await gates.ceilings(change.connection)).get(state.value("category") or "", "suggest")
        if runs_alone(house.actions[now.action].risk, ceiling):
            await _agree(change, await fixes.load(change.connection, fix), GATE)


async def _take_apply(house: House, order: Ordered, fix: int) -> None:
    outcome = order.result.get("outcome") if order.result else None
    await _step(house, fix, ("applying",), after_apply(str(outcome), _refusal(order)), "fix_applied", order)


async def _take_check(house: House, order: Ordered, fix: int) -> None:
    passed = bool(order.result and order.result.get("passed"))
    says = _refusal(order) or _measured(order)
    async with house.store.change() as change:
        now = await fixes.load(change.connection, fix, lock=True)
        if now.state in ("proposed", "planning", "planned", "agreed"):
            await fixes.update(change, fix, before=order.result)
            return
    undo = house.actions[now.action].undo(now.params)
    nxt = after_check(passed, says, can_undo=bool(undo))
    await _step(house, fix, ("checking",), nxt, "fix_checked", order)


async def _take_undo(house: House, order: Ordered, fix: int) -> None:
    outcome = order.result.get("outcome") if order.result else None
    nxt = after_undo(str(outcome) if outcome else None, _refusal(order))
    await _step(house, fix, ("undoing",), nxt, "fix_undone", order)


async def _step(house: House, fix: int, states: tuple[str, ...], nxt: Next, kind: str, order: Ordered) -> None:
    async with house.store.change() as change:
        now = await fixes.load(change.connection, fix, lock=True)
        if now.state not in states:
            return
        values: dict[str, object] = {"state": nxt.state, "says": nxt.says}
        if order.kind == "check":
            values["after"] = order.result
        await fixes.update(change, fix, **values)
        body: dict[str, Json] = {"fix": fix, "state": nxt.state}
        await tickets.record(change, now.ticket, kind, f"device:{now.device}", body)
        if nxt.order is not None:
            change.later(Job(tasks.ORDER, {"fix": fix, "kind": nxt.order}, urgent=True))
        elif nxt.state in ("failed", "undone"):
            await _hand_over(change, now, nxt.state)
        elif nxt.state == "held":
            held: dict[str, Json] = {"number": now.ticket, "fix": fix, "says": f"{now.action}: {nxt.says}"}
            change.later(Job(tasks.FIX_HELD, held, urgent=True))
        await _regather(change, now.ticket)


async def _stop(house: House, fix: int, state: str, says: str) -> None:
    async with house.store.change() as change:
        now = await fixes.load(change.connection, fix, lock=True)
        if now.state not in fixes.UNFINISHED:
            return
        await fixes.update(change, fix, state=state, says=says)
        await tickets.record(change, now.ticket, "fix_failed", ACTOR, {"fix": fix, "state": state})
        await _hand_over(change, now, state)
        await _regather(change, now.ticket)


async def mind_orders(house: House) -> None:
    """Notice orders that ran out without an answer, and hand their fixes to a person."""
    async with house.store.change() as change:
        late = await fixes.run_out(change)
    for each in late:
        if each.fix is not None:
            await _late(house, each, each.fix)


async def _late(house: House, order: Ordered, fix: int) -> None:
    async with house.store.change() as change:
        now = await fixes.load(change.connection, fix, lock=True)
        if now.state not in fixes.UNFINISHED:
            return
        says = f"the device did not answer to {order.kind} in time"
        if now.state in ("proposed", "planning") and order.kind == "plan":
            await fixes.update(change, fix, state="failed", says=says)
        else:
            await fixes.update(change, fix, says=says)
        await _hand_over(change, now, "no_answer")
        await _regather(change, now.ticket)


async def _hand_over(change: Change, now: Fix, why: str) -> None:
    await tickets.record(change, now.ticket, "handed_over", ACTOR, {"fix": now.id, "why": why})
    root = await incidents.root_of(change.connection, now.ticket)
    await tickets.update(change.connection, root, needs_yes=True)


async def _regather(change: Change, number: int) -> None:
    await incidents.regather(change, await incidents.root_of(change.connection, number))


def _refusal(order: Ordered) -> str | None:
    result = order.result or {}
    return str(result.get("says") or result.get("code")) if result.get("kind") == "refusal" else None


def _measured(order: Ordered) -> str:
    rows = (order.result or {}).get("measured")
    said = [str(each.get("says")) for each in rows if isinstance(each, dict)] if isinstance(rows, list) else []
    return "; ".join(said) or "no probe was measured"


def _as_json(value: object) -> WireJson:
    if isinstance(value, Mapping):
        return {str(key): _as_json(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(each) for each in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    raise Malformed("result", f"holds a {type(value).__name__}")
