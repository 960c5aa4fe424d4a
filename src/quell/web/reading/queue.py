"""The queue page, its preview and the reasons behind a proposal."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.errors import Refused
from quell.store import fixes, proposals, queue, reports
from quell.store.queue import Wanted
from quell.store.queue_rows import QueueRow
from quell.store.tables import device, person, report, ticket
from quell.web.desk import Who
from quell.web.reading.names import Names, source
from quell.web.reading.rows import ENDED_GROUP, FOUND_GROUP, gone, groups, percent, reasons, row_view
from quell.web.reads import Ask, Rail, Tally
from quell.web.views.queue import Empty, Peek, Proposed, QueueView, Row, WhyView
from quell.web.views.signs import Light, Why
from quell.web.words import moment

VIEWS = (
    ("all", "All open"),
    ("yes", "Needs your yes"),
    ("mine", "Mine"),
    ("live", "Incidents"),
    ("due", "Due in the next hour"),
    ("nobody", "Nobody owns it"),
    ("ended", "Ended today"),
)
QUOTE_CHARACTERS_MAX = 700
LABELS = {"category": "Category", "priority": "Priority", "owner": "Owner", "assignee": "Person", "join": "Same as"}
QUIET = {
    "yes": "Nothing needs your yes.",
    "mine": "Nothing waits for you.",
    "live": "No incident is open.",
    "due": "Nothing is due in the next hour.",
    "nobody": "Every ticket has an owner.",
    "ended": "Nothing has ended today yet.",
}
FIX_LIGHTS = {
    "planned": Light("warn", "waits for approval"),
    "agreed": Light("run", "runs"),
    "applying": Light("run", "runs"),
    "checking": Light("run", "is checked"),
    "held": Light("ok", "held"),
    "undoing": Light("warn", "is put back"),
    "undone": Light("bad", "put back"),
    "failed": Light("bad", "failed"),
}


def wanted(who: Who, ask: Ask, names: Names) -> Wanted:
    """The question to the tables behind an address."""
    mine = f"account:{who.account}"
    return Wanted(ask.view, ask.team, ask.words, ask.after, mine, names.now, names.today())


async def rail(connection: AsyncConnection, who: Who, names: Names) -> Rail:
    """The counts beside every page."""
    found = await queue.counts(connection, wanted(who, Ask(), names))
    views = tuple(Tally(key, name, found.views.get(key, 0)) for key, name in VIEWS)
    teams = tuple(Tally(key, name, found.teams.get(key, 0)) for key, name in names.teams.items())
    return Rail(names.company, views, teams, found.views.get("yes", 0))


async def queue_view(connection: AsyncConnection, who: Who, ask: Ask, names: Names) -> QueueView:
    """One page."""
    page = await queue.queue_page(connection, wanted(who, ask, names))
    rows = [row_view(raw, names) for raw in page.rows]
    flat = FOUND_GROUP if ask.words else ENDED_GROUP if ask.view == "ended" else None
    name = f"“{ask.words}”" if ask.words else names.teams.get(ask.team, "") or dict(VIEWS)[ask.view]
    at = next((row for row in rows if row.accepts), rows[0] if rows else None)
    peek = await peek_view(connection, at.number, names) if at is not None and not ask.after else None
    empty = None if rows else await _empty(connection, ask)
    return QueueView(
        ask.view, name, page.tickets, page.reports, groups(page, rows, flat), page.next, ask.words, peek, empty,
        at.number if at is not None and not ask.after else None,
    )  # fmt: skip


async def _empty(connection: AsyncConnection, ask: Ask) -> Empty:
    if ask.words:
        return Empty("search")
    if not await queue.newest_number(connection):
        return Empty("first")
    return Empty("quiet", QUIET.get(ask.view, ""))


async def row_views(
    connection: AsyncConnection, who: Who, ask: Ask, numbers: Sequence[int], names: Names
) -> tuple[Row, ...]:
    """Rows by number; what the view has lost says what became of it."""
    raw = await queue.rows_of(connection, numbers, names.now)
    inside = set(await queue.members_of_view(connection, wanted(who, ask, names), numbers))
    made = []
    for each in raw:
        row = row_view(each, names)
        lost = each.number not in inside and not ask.words
        made.append(_faint(row, gone(each, names)) if lost else row)
    return tuple(made)


def _faint(row: Row, says: str) -> Row:
    return replace(row, gone=says, chips=(), accepts=False, confidence=None)


async def one_raw(connection: AsyncConnection, number: int, names: Names) -> QueueRow:
    """One ticket as the tables show it; Refused (404) names the newest one."""
    found = await queue.rows_of(connection, [number], names.now)
    if not found:
        newest = await queue.newest_number(connection)
        says = f" The newest is T-{newest}." if newest else " No ticket was opened yet."
        raise Refused(f"There is no T-{number}.{says}", 404, "no_such_ticket")
    return found[0]


async def peek_view(connection: AsyncConnection, number: int, names: Names) -> Peek:
    """The preview of one ticket."""
    raw = await one_raw(connection, number, names)
    row = row_view(raw, names)
    query = (
        select(report, person.c.name, person.c.email, person.c.department, device.c.hostname)
        .join(ticket, ticket.c.report == report.c.number)
        .outerjoin(person, person.c.id == report.c.person)
        .outerjoin(device, device.c.id == report.c.device)
        .where(ticket.c.number == number)
    )
    told = (await connection.execute(query)).one()
    words = await reports.conversation(connection, [told.number])
    quote = next((each.text for each in words if each.direction == "in"), "")
    site = names.sites.get(told.site or "", "")
    sender = ", ".join(
        each for each in (told.name or told.email or source(told.channel).name, told.department, site) if each
    )
    same, same_number = await _same_as(connection, raw)
    says, light = await _fix(connection, raw.number)
    return Peek(
        row=row,
        channel=source(told.channel).name,
        at=moment(told.at, names.now, names.zone),
        quote=quote[:QUOTE_CHARACTERS_MAX],
        sender=sender,
        device=told.hostname or "",
        fields=proposed(row, raw),
        same_as=same,
        same_as_number=same_number,
        fix_says=says,
        fix_light=light,
    )


def proposed(row: Row, raw: QueueRow) -> tuple[Proposed, ...]:
    """Category, priority and owner as the preview says them."""
    says = row.priority_says.partition(": ")[2]
    return (
        _proposed("category", row.category, row.category_guess, raw),
        _proposed("priority", row.priority, row.priority_guess, raw, says),
        _proposed("owner", row.owner.name, row.owner.guess, raw),
    )


def _proposed(key: str, value: str, guess: bool, raw: QueueRow, extra: str = "") -> Proposed:
    field = raw.shown.get(key)
    sure = percent(field.get("confidence")) if isinstance(field, dict) and guess else None
    title = f"Quell’s guess, {sure}% sure. Not set yet." if sure is not None else ""
    return Proposed(key, LABELS[key], value, guess, extra, sure, title)


async def _same_as(connection: AsyncConnection, raw: QueueRow) -> tuple[str, int | None]:
    if raw.maybe_into is None or raw.joined_to is not None:
        return "", None
    title = (
        await connection.execute(select(ticket.c.title).where(ticket.c.number == raw.maybe_into))
    ).scalar_one_or_none()
    return title or "", raw.maybe_into


async def _fix(connection: AsyncConnection, number: int) -> tuple[str, Light | None]:
    found = await fixes.of_tickets(connection, [number])
    if not found or found[0].state == "refused":
        return "", None
    host = (await connection.execute(select(device.c.hostname).where(device.c.id == found[0].device))).scalar_one()
    says = f"{found[0].action.replace('_', ' ').capitalize()} on {host}. {found[0].says}".strip()
    return says, FIX_LIGHTS.get(found[0].state, Light("off", "is being planned"))


async def why_view(connection: AsyncConnection, number: int, names: Names) -> WhyView:
    """The reasons of every open proposal, the model's name, and how often such calls were right so far."""
    raw = await one_raw(connection, number, names)
    open_ones = await proposals.of_ticket(connection, number, open_only=True)
    blocks: list[tuple[str, tuple[Why, ...]]] = []
    for each in sorted(open_ones, key=lambda one: list(LABELS).index(one.field) if one.field in LABELS else 9):
        value = _named(each.field, each.value or "", names)
        blocks.append(
            (f"{LABELS.get(each.field, each.field)}: {value}, {percent(each.confidence)}%", reasons(each.reasons))
        )
    if not blocks:
        blocks = [
            (f"{LABELS[key]}: {_named(key, str(field.get('value') or '–'), names)}", reasons(field.get("reasons")))
            for key, field in raw.shown.items()
            if isinstance(field, dict) and key in LABELS
        ]
    sure = percent(raw.sure)
    title = f"Why, and how sure: {sure}%" if open_ones and sure is not None else "Why"
    return WhyView(title, tuple(blocks), await _foot(connection, open_ones[0].model if open_ones else "", raw.sure))


def _named(field: str, value: str, names: Names) -> str:
    if field == "join":
        return f"T-{value}"
    return {"category": names.categories, "owner": names.teams}.get(field, {}).get(value, value)


async def _foot(connection: AsyncConnection, model: str, sure: float | None) -> str:
    by = f"By the model “{model}”. " if model else ""
    if sure is None:
        return f"{by}Each number says how much a reason adds, in points out of 100."
    checked = await proposals.checked(connection, "all", 2000)
    near = [right for confidence, right, _, _ in checked if abs(confidence - sure) <= 0.05]
    if not near:
        return f"{by}No call this sure was checked by a person yet."
    return f"{by}Of {len(near)} past calls this sure that a person checked, {sum(near)} were right."
