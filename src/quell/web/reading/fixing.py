"""The fixes of a ticket: what would be done, what was done, before and after; and what could be planned."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.seams import Action
from quell.store import fixes
from quell.store.fixes import Fix as Stored
from quell.store.fixes import Ordered
from quell.store.tables import consent, device
from quell.web.reading.names import Names
from quell.web.views.signs import Chip
from quell.web.views.ticket import Change, Choice, Fix, Offer, Step
from quell.web.words import size, when

FIXES_MAX = 8
FILES_SHOWN_MAX = 5
STATES: Mapping[str, tuple[str, Chip]] = {
    "proposed": ("planning", Chip("is being planned", "accent", "play")),
    "planning": ("planning", Chip("is being planned", "accent", "play")),
    "planned": ("waits", Chip("waits for approval", "warn")),
    "agreed": ("running", Chip("approved", "accent", "check")),
    "applying": ("running", Chip("runs", "accent", "play")),
    "checking": ("running", Chip("is checked", "accent", "play")),
    "held": ("held", Chip("held", "good", "done")),
    "undoing": ("running", Chip("is put back", "warn", "undo")),
    "undone": ("failed", Chip("put back", "bad", "undo")),
    "failed": ("failed", Chip("failed", "bad", "stop")),
    "refused": ("refused", Chip("refused")),
}


def action_name(key: str) -> str:
    """An action's key in words."""
    return key.replace("_", " ").capitalize().replace("dns", "DNS")


async def fix_views(
    connection: AsyncConnection, tickets: Sequence[int], actions: Mapping[str, Action], names: Names
) -> tuple[Fix, ...]:
    """The newest first."""
    made = []
    for each in (await fixes.of_tickets(connection, [*tickets]))[:FIXES_MAX]:
        orders = await fixes.orders_of(connection, each.id)
        host = (await connection.execute(select(device.c.hostname).where(device.c.id == each.device))).scalar_one()
        made.append(_fix(each, orders, host, await _consent(connection, each, names), actions))
    return tuple(sorted(made, key=lambda each: each.state != "waits"))


def _fix(stored: Stored, orders: Sequence[Ordered], host: str, agreed: str, actions: Mapping[str, Action]) -> Fix:
    state, chip = STATES.get(stored.state, ("planning", Chip(stored.state)))
    return Fix(
        fix=stored.id,
        title=action_name(stored.action),
        device=host,
        state=state,
        chip=chip,
        steps=_steps(stored, orders),
        changes=changes(stored.before, stored.after),
        plan_hash=stored.plan_hash or "",
        says=_says(stored),
        way_back=_way_back(stored, actions) if state in ("waits", "running") else "",
        consent=agreed,
    )


def _says(stored: Stored) -> str:
    if stored.says:
        return stored.says
    why = stored.reasons[0][0] if stored.reasons and stored.reasons[0] else ""
    return str(why)


def _way_back(stored: Stored, actions: Mapping[str, Action]) -> str:
    action = actions.get(stored.action)
    undo = action.undo(stored.params) if action is not None else None
    return "If the check fails, the old state is put back." if undo else "There is no way back, so read the plan first."


async def _consent(connection: AsyncConnection, stored: Stored, names: Names) -> str:
    query = select(consent).where(consent.c.fix == stored.id).order_by(consent.c.id.desc()).limit(1)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return ""
    who = "The gate" if row.actor.startswith("gate:") else names.of(row.actor)
    return f"{who} approved exactly this plan, {when(row.at, names.now, names.zone)}"


def _steps(stored: Stored, orders: Sequence[Ordered]) -> tuple[Step, ...]:
    before = _measured(stored.before, "Before")
    done = next((each.result for each in reversed(orders) if each.kind == "apply" and each.result), None)
    after = _measured(stored.after, "After, by the signal that failed")
    undone = next((each.result for each in reversed(orders) if each.kind == "undo" and each.result), None)
    running = stored.state in ("agreed", "applying")
    do = _done(done, "Done") if done else _planned(stored.plan, running)
    return (*before, *do, *after, *(_done(undone, "Put back") if undone else ()))


def _planned(plan: Mapping[str, Any] | None, running: bool) -> tuple[Step, ...]:
    made: list[Step] = []
    for each in _rows(_dict(_dict(plan).get("plan")).get("steps")):
        files = _rows(each.get("files"))
        commands = [" ".join(map(str, one)) for one in each.get("commands") or [] if isinstance(one, list)]
        small = "; ".join([*commands, *_files(files)])
        value = size(each["bytes"]) if isinstance(each.get("bytes"), int) and each["bytes"] else ""
        made.append(Step(str(each.get("says") or ""), value, small, "run" if running else "", "" if made else "Do"))
    return tuple(made)


def _files(files: Sequence[Mapping[str, Any]]) -> list[str]:
    shown = [f"{each.get('path')} ({size(int(each.get('bytes') or 0))})" for each in files[:FILES_SHOWN_MAX]]
    return [*shown, f"and {len(files) - FILES_SHOWN_MAX} more files"] if len(files) > FILES_SHOWN_MAX else shown


def _done(result: Mapping[str, Any], phase: str) -> tuple[Step, ...]:
    if result.get("kind") == "refusal":
        return (Step(str(result.get("says") or "refused"), "", "the device refused", "bad", phase),)
    made: list[Step] = []
    for each in _rows(result.get("steps")):
        state = "" if each.get("done") is None else "ok" if each.get("done") else "bad"
        took = f"{int(each['took_ms']) / 1000:.1f} s" if isinstance(each.get("took_ms"), int) else ""
        made.append(Step(str(each.get("says") or ""), took, "", state, "" if made else phase))
    return tuple(made)


def _measured(result: Mapping[str, Any] | None, phase: str) -> tuple[Step, ...]:
    made: list[Step] = []
    for each in _rows(_dict(result).get("measured")):
        state = "ok" if each.get("passed") else "bad"
        made.append(Step(str(each.get("says") or ""), "", "", state, "" if made else phase))
    return tuple(made)


def changes(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> tuple[Change, ...]:
    """Measured values side by side, probe by probe, as far as both sides have them."""
    made = []
    for was, now in zip(_rows(_dict(before).get("measured")), _rows(_dict(after).get("measured")), strict=False):
        old, new = _dict(was.get("values")), _dict(now.get("values"))
        for key in new:
            if key in old and key != "took_ms":
                state = "ok" if now.get("passed") else "bad"
                made.append(Change(key.replace("_", " "), _value(key, old[key]), _value(key, new[key]), state))
    return tuple(made)


def _value(key: str, value: object) -> str:
    if isinstance(value, int) and key.endswith("bytes"):
        return size(value)
    return f"{value}%" if key.endswith("percent") else str(value)


def offers(
    hosts: Sequence[str], actions: Mapping[str, Action], names: Names, shown: Sequence[Fix]
) -> tuple[Offer, ...]:
    """What somebody may have planned: allowed actions on reachable devices, unless a fix is under way."""
    if any(each.state in ("planning", "waits", "running") for each in shown):
        return ()
    return tuple(
        Offer(key, action_name(key), host, tuple(Choice(name, name, says) for name, says in action.parameters.items()))
        for host in hosts
        for key, action in sorted(actions.items())
        if key in names.allowed
    )


def _rows(value: object) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list | tuple) else []


def _dict(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
