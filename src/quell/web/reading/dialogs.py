"""What the edit and merge dialogs and the palette offer."""

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.errors import Refused
from quell.store import accounts, proposals, queue
from quell.store.queue import Wanted
from quell.store.queue_rows import QueueRow
from quell.store.tables import device, ticket
from quell.web.reading.names import Names
from quell.web.reading.rows import percent
from quell.web.reads import Found
from quell.web.views.signs import Chip
from quell.web.views.ticket import Alike, Choice, EditView, MergeView
from quell.web.words import age, several

TARGETS_MAX = 8
DEVICES_MAX = 5
TICKETS_MAX = 8
PRIORITIES = (
    Choice("P1", "P1", "many people stopped, or safety"),
    Choice("P2", "P2", "a team is stopped, or many are slowed"),
    Choice("P3", "P3", "one person is stopped"),
    Choice("P4", "P4", "nobody is stopped"),
)
WORKERS = frozenset({"owner", "admin", "technician"})


async def edit_view(connection: AsyncConnection, numbers: Sequence[int], focus: str, names: Names) -> EditView:
    """The lists that a field may be set from, and what stands there now if it is one ticket."""
    rows = await queue.rows_of(connection, numbers, names.now)
    if not rows:
        raise Refused("Choose a ticket first.", 404, "no_such_ticket")
    one = rows[0].shown if len(rows) == 1 else {}
    now = {key: _value(one.get(key)) for key in ("category", "owner", "priority", "assignee")}
    title = f"T-{rows[0].number} {rows[0].title}" if len(rows) == 1 else several(len(rows), "ticket")
    people = [each for each in await accounts.all_accounts(connection) if each.blocked_at is None]
    return EditView(
        numbers=tuple((row.number, row.version) for row in rows),
        title=title,
        focus=focus,
        categories=tuple(Choice(key, name) for key, name in names.categories.items()),
        owners=tuple(Choice(key, name) for key, name in names.teams.items()),
        priorities=PRIORITIES,
        assignees=tuple(Choice(f"account:{each.id}", each.name) for each in people if each.role in WORKERS),
        **now,
    )


async def merge_view(connection: AsyncConnection, numbers: Sequence[int], words: str, names: Names) -> MergeView:
    """Likely tickets first: those that the model named; with words, those that fit them."""
    rows = await queue.rows_of(connection, numbers, names.now)
    if not rows:
        raise Refused("Choose a ticket first.", 404, "no_such_ticket")
    title = f"Join T-{rows[0].number} to…" if len(rows) == 1 else f"Join {len(rows)} tickets to…"
    found = await _by_words(connection, words, names) if words else await _likely(connection, numbers, names)
    shown = tuple(each for each in found if each.number not in numbers)[:TARGETS_MAX]
    return MergeView(tuple((row.number, row.version) for row in rows), title, shown, words)


async def find(connection: AsyncConnection, words: str, names: Names) -> tuple[Found, ...]:
    """Tickets and devices that fit the words."""
    page = await queue.queue_page(connection, Wanted(words=words, now=names.now, today=names.today()))
    made = []
    for row in page.rows[:TICKETS_MAX]:
        shown = _value(row.shown.get("priority"))
        ended = "" if row.open else f" · {row.status}"
        chip = Chip(several(row.reports, "report")) if row.reports > 1 else None
        end = f"T-{row.number}{ended}"
        made.append(Found("Tickets", row.title, f"/tickets/{row.number}", end, chip, shown, "inbox"))
    fits = or_(device.c.hostname.icontains(words, autoescape=True), device.c.os.icontains(words, autoescape=True))
    query = select(device.c.hostname, device.c.kind).where(fits).order_by(device.c.hostname).limit(DEVICES_MAX)
    for one in await connection.execute(query):
        made.append(Found("Devices", one.hostname, f"/devices/{one.hostname}", one.kind, icon="device"))
    return tuple(made)


async def _likely(connection: AsyncConnection, numbers: Sequence[int], names: Names) -> list[Alike]:
    chances: dict[int, float] = {}
    for number in numbers[:20]:
        for each in await proposals.of_ticket(connection, number):
            if each.field == "join" and each.value is not None and each.value.isdigit():
                chances.setdefault(int(each.value), each.confidence)
    query = select(ticket.c.number).where(ticket.c.open, ticket.c.joined_to.is_(None))
    newest = query.order_by(ticket.c.heard_at.desc()).limit(TARGETS_MAX)
    recent = [row.number for row in await connection.execute(newest)]
    rows = {row.number: row for row in await queue.rows_of(connection, [*chances, *recent], names.now)}
    ordered = [*sorted(chances, key=lambda number: -chances[number]), *[each for each in recent if each not in chances]]
    return [
        _alike(rows[each], names, percent(chances.get(each)))
        for each in ordered
        if each in rows and rows[each].joined_to is None
    ]


async def _by_words(connection: AsyncConnection, words: str, names: Names) -> list[Alike]:
    page = await queue.queue_page(connection, Wanted(words=words, now=names.now, today=names.today()))
    return [_alike(row, names, None) for row in page.rows]


def _alike(row: QueueRow, names: Names, chance: int | None) -> Alike:
    state = "" if row.open else f"{row.status}, "
    says = f"{state}{several(row.reports, 'report')}, last {age(row.heard_at, names.now)}"
    return Alike(row.number, row.title, says, chance)


def _value(field: object) -> str:
    value = field.get("value") if isinstance(field, dict) else None
    return value if isinstance(value, str) else ""
