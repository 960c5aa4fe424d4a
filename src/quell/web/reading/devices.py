"""The fleet and one device in words."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, cast, func, or_, select
from sqlalchemy.dialects.postgresql import JSONPATH, distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.errors import Refused
from quell.seams import Action
from quell.store.tables import device, fix, person, report, ticket
from quell.store.tables import evidence as evidence_table
from quell.web.reading.evidence import FULL_PERCENT, fullest_disk, lists, readings
from quell.web.reading.fixing import STATES, action_name, changes
from quell.web.reading.names import Names, with_actors
from quell.web.views.devices import Allowed, DeviceRow, DevicesView, DeviceView, Run
from quell.web.views.signs import Chip, Light
from quell.web.views.ticket import Alike
from quell.web.words import age, moment, when

PAGE_ROWS = 100
SEEN_WITHIN = timedelta(minutes=2)
SILENT_AFTER = timedelta(hours=1)
RUNS_MAX = 10
ICONS = {"server": "server", "printer": "printer", "phone": "phone", "network": "network"}
_AGENT = and_(device.c.public_key.is_not(None), device.c.revoked_at.is_(None))
_RUNNING = ("agreed", "applying", "checking", "undoing")


async def devices_view(
    connection: AsyncConnection, which: str, words: str, after: str, actions: Mapping[str, Action], names: Names
) -> DevicesView:
    """One page of the list, by name."""
    conditions = {"all": device.c.id > 0, "agent": _AGENT, "look": _look(names)}
    if which not in conditions:
        raise Refused("There is no such filter.", 404, "no_such_filter")
    query = (
        select(device, person.c.name.label("owner_name"), person.c.department)
        .outerjoin(person, person.c.id == device.c.owner)
        .where(conditions[which])
        .order_by(_AGENT.desc(), device.c.hostname)
        .limit(PAGE_ROWS + 1)
    )
    if words:
        columns = (device.c.hostname, person.c.name, device.c.site, device.c.os)
        query = query.where(or_(*(each.icontains(words, autoescape=True) for each in columns)))
    offset = int(after) if after.isascii() and after.isdigit() and len(after) < 8 else 0
    rows = (await connection.execute(query.offset(offset))).all()
    shown = rows[:PAGE_ROWS]
    last = await _last_fixes(connection, [row.id for row in shown])
    today = (await connection.execute(_today(names))).one()
    totals = (await connection.execute(_totals(names))).one()
    return DevicesView(
        rows=tuple(_row(row, last.get(row.id), names) for row in shown),
        with_agent=totals.agents,
        seen=totals.seen,
        need_look=totals.look,
        runs_today=today.runs,
        held_today=today.held,
        actions=len(actions),
        filters=(
            ("all", "All", totals.everything),
            ("agent", "With an agent", totals.agents),
            ("look", "Need a look", totals.look),
        ),
        filter=which,
        words=words,
        next=str(offset + PAGE_ROWS) if len(rows) > PAGE_ROWS else "",
    )


def _look(names: Names) -> ColumnElement[bool]:
    full = func.jsonb_path_exists(
        device.c.status, cast(f"$.disks[*] ? (@.free_percent < {100 - FULL_PERCENT})", JSONPATH)
    )
    return and_(_AGENT, or_(device.c.seen_at < names.now - SILENT_AFTER, func.coalesce(full, False)))


def _totals(names: Names) -> Any:
    return select(
        func.count().label("everything"),
        func.count().filter(_AGENT).label("agents"),
        func.count().filter(_AGENT, device.c.seen_at > names.now - SEEN_WITHIN).label("seen"),
        func.count().filter(_look(names)).label("look"),
    ).select_from(device)


def _today(names: Names) -> Any:
    ran = ("applying", "checking", "held", "undoing", "undone", "failed")
    today = fix.c.changed_at >= names.today()
    return select(
        func.count().filter(fix.c.state.in_(ran)).label("runs"),
        func.count().filter(fix.c.state == "held").label("held"),
    ).where(today)


async def _last_fixes(connection: AsyncConnection, numbers: list[int]) -> dict[int, Any]:
    newest = select(fix).where(fix.c.device.in_(numbers)).ext(distinct_on(fix.c.device))
    query = newest.order_by(fix.c.device, fix.c.id.desc())
    return {row.device: row for row in await connection.execute(query)}


def _row(row: Any, last: Any, names: Names) -> DeviceRow:
    status: Mapping[str, Any] = row.status if isinstance(row.status, dict) else {}
    allowed = status.get("actions")
    site = names.sites.get(row.site or "", "")
    whose = row.owner_name or ""
    return DeviceRow(
        key=row.hostname,
        name=row.hostname,
        icon=ICONS.get(row.kind, "device"),
        whose=whose or site,
        place=", ".join(part for part in (row.department or "", site) if part) if whose else "",
        light=_light(row, status, last, names),
        disk=fullest_disk(status),
        allowed=len(allowed) if isinstance(allowed, list) else None,
        last_run=action_name(last.action) if last is not None else "",
        last_run_says=f"{when(last.changed_at, names.now, names.zone)}, {STATES[last.state][1].text}"
        if last is not None and last.state in STATES
        else "",
    )


def _light(row: Any, status: Mapping[str, Any], last: Any, names: Names) -> Light:
    if row.revoked_at is not None:
        return Light("bad", "Let out", "Its key is trusted no longer")
    if row.public_key is None or row.seen_at is None:
        return Light("off", "No agent")
    if last is not None and last.state in _RUNNING:
        return Light("run", "Fix runs")
    silent = names.now - row.seen_at
    if silent > SEEN_WITHIN:
        return Light("warn" if silent > SILENT_AFTER else "off", f"Silent, last {age(row.seen_at, names.now)}")
    if status.get("disabled"):
        return Light("warn", "Frozen there", "Its own owner has switched every action off")
    disk = fullest_disk(status)
    if disk is not None and disk.state == "bad":
        return Light("bad", "Disk nearly full", disk.title)
    return Light("ok", f"Seen {age(row.seen_at, names.now)}")


async def device_view(connection: AsyncConnection, key: str, actions: Mapping[str, Action], names: Names) -> DeviceView:
    """One device, by its host name or its number."""
    number = int(key) if key.isascii() and key.isdigit() and len(key) < 18 else None
    which = or_(device.c.hostname == key, device.c.id == number) if number is not None else device.c.hostname == key
    query = select(device, person.c.name.label("owner_name"), person.c.department)
    row = (await connection.execute(query.outerjoin(person, person.c.id == device.c.owner).where(which))).first()
    if row is None:
        raise Refused("There is no such device.", 404, "no_such_device")
    last = (await _last_fixes(connection, [row.id])).get(row.id)
    status: Mapping[str, Any] = row.status if isinstance(row.status, dict) else {}
    seen = await _newest_look(connection, row.id)
    telemetry = seen.body.get("telemetry") if seen is not None else None
    picture = telemetry if isinstance(telemetry, Mapping) else status
    read_at = seen.observed_at if seen is not None and isinstance(telemetry, Mapping) else row.seen_at
    return DeviceView(
        row=_row(row, last, names),
        facts=_facts(row, names),
        readings=readings(picture),
        lists=lists(picture),
        read_at=moment(read_at, names.now, names.zone) if read_at is not None else None,
        allowed=await _allowed(connection, row.id, status, actions),
        runs=await _runs(connection, row.id, names),
        tickets=await _tickets(connection, row.id),
        agent=row.public_key is not None,
    )


def _facts(row: Any, names: Names) -> tuple[str, ...]:
    site = names.sites.get(row.site or "", "")
    agent = f"agent {row.agent_version}" if row.agent_version else ""
    since = f"enrolled {when(row.enrolled_at, names.now, names.zone)}" if row.enrolled_at is not None else ""
    whose = f"belongs to {row.owner_name}" if row.owner_name else ""
    return tuple(
        part for part in (f"{row.kind} {('in ' + site) if site else ''}".strip(), row.os, agent, whose, since) if part
    )


async def _newest_look(connection: AsyncConnection, number: int) -> Any:
    query = (
        select(evidence_table)
        .where(evidence_table.c.kind == "telemetry", evidence_table.c.link == f"/devices/{number}")
        .order_by(evidence_table.c.observed_at.desc())
        .limit(1)
    )
    return (await connection.execute(query)).one_or_none()


async def _allowed(
    connection: AsyncConnection, number: int, status: Mapping[str, Any], actions: Mapping[str, Action]
) -> tuple[Allowed, ...]:
    query = select(fix.c.action, func.count().label("n"), func.count().filter(fix.c.state == "held").label("held"))
    ran = query.where(fix.c.device == number, fix.c.state.in_(("held", "undone", "failed"))).group_by(fix.c.action)
    record = {row.action: f"{row.held} of {row.n}" for row in await connection.execute(ran)}
    listed = status.get("actions")
    on = {str(each) for each in listed} if isinstance(listed, list) else None
    made = []
    for key, action in sorted(actions.items()):
        may = on is not None and key in on
        chip = Chip("asks each time") if may else Chip("not on its list" if on is not None else "not known yet")
        risk = {"low": "little can go wrong", "medium": "may interrupt for a moment", "high": "no way back"}
        made.append(Allowed(action_name(key), risk.get(action.risk, action.risk), may, chip, record.get(key, "")))
    return tuple(made)


async def _runs(connection: AsyncConnection, number: int, names: Names) -> tuple[Run, ...]:
    query = select(fix).where(fix.c.device == number).order_by(fix.c.id.desc()).limit(RUNS_MAX)
    rows = (await connection.execute(query)).all()
    names = await with_actors(connection, names, {row.proposed_by for row in rows})
    made = []
    for row in rows:
        chip = STATES[row.state][1] if row.state in STATES else Chip(row.state)
        says = f"{when(row.at, names.now, names.zone)}, proposed by {names.of(row.proposed_by)}, for T-{row.ticket}"
        made.append(Run(action_name(row.action), says, chip, changes(row.before, row.after), (), row.says))
    return tuple(made)


async def _tickets(connection: AsyncConnection, number: int) -> tuple[Alike, ...]:
    root = ticket.alias("root")
    query = (
        select(root.c.number, root.c.title)
        .select_from(report)
        .join(ticket, ticket.c.report == report.c.number)
        .join(root, root.c.number == ticket.c.root)
        .where(report.c.device == number, root.c.open)
        .distinct()
        .order_by(root.c.number)
        .limit(8)
    )
    return tuple(Alike(row.number, row.title, "") for row in await connection.execute(query))
