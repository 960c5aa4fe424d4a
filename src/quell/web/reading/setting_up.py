"""The set-up page: what the company file said, which channels work, who works here."""

from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.seams import Channel
from quell.store import accounts, deliveries
from quell.store.deliveries import Line
from quell.store.tables import category, device, person, refusal, service, site, team
from quell.web.reading.names import Names, source
from quell.web.views.setup import ChannelRow, Member, SetupView
from quell.web.views.signs import Light
from quell.web.words import age, moment, several

ALWAYS_ON = frozenset({"portal"})
HIDDEN = frozenset({"device_agent"})
NO_HOOK = frozenset({"portal", "email", "device_agent"})
SECRETS = frozenset({"password", "secret", "token"})
TABLES = (
    ("people", person),
    ("sites", site),
    ("services", service),
    ("teams", team),
    ("categories", category),
    ("devices", device),
)


async def setup_view(
    connection: AsyncConnection, channels: Mapping[str, Channel], address: str, names: Names
) -> SetupView:
    """The page as of now."""
    lines: dict[str, list[Line]] = {}
    for each in await deliveries.lines(connection):
        lines.setdefault(each.name, []).append(each)
    refused = await _refused(connection, names)
    rows = []
    for name in sorted(channels, key=lambda each: (each not in lines and each not in ALWAYS_ON, source(each).name)):
        if name not in HIDDEN:
            rows += _rows(name, channels[name], lines.get(name, []), address, refused, names)
    counts = await _counts(connection) if names.company else ()
    people = await accounts.all_accounts(connection)
    members = tuple(
        Member(each.name, each.email, each.role, moment(each.made_at, names.now, names.zone), each.blocked_at is None)
        for each in people
    )
    return SetupView(names.company, counts, tuple(rows), members)


async def _counts(connection: AsyncConnection) -> tuple[tuple[str, int], ...]:
    made = []
    for noun, table in TABLES:
        made.append((noun, (await connection.execute(select(func.count()).select_from(table))).scalar_one()))
    return tuple(made)


async def _refused(connection: AsyncConnection, names: Names) -> dict[str, int]:
    query = select(refusal.c.channel, func.sum(refusal.c.count).label("n")).where(refusal.c.last_at >= names.today())
    return {row.channel: int(row.n) for row in await connection.execute(query.group_by(refusal.c.channel))}


def _rows(
    name: str, one: Channel, lines: list[Line], address: str, refused: Mapping[str, int], names: Names
) -> list[ChannelRow]:
    sign = source(name)
    settings = tuple((each.key, each.says, each.required, each.secret) for each in one.settings)
    if name in ALWAYS_ON and not lines:
        return [ChannelRow(name, sign.name, sign.icon, "the help page, always open", Light("ok", "On"), True)]
    if not lines:
        return [ChannelRow(name, sign.name, sign.icon, "", Light("off", "Not connected"), False, "", settings)]
    return [_connected(name, each, address, refused.get(each.key, 0), names) for each in lines]


def _connected(name: str, line: Line, address: str, refused: int, names: Names) -> ChannelRow:
    sign = source(name)
    said = [f"last message {age(line.heard_at, names.now)}"] if line.heard_at is not None else []
    said += [f"{several(refused, 'call')} refused today"] if refused else []
    own = str(line.settings.get("address") or "")
    hook = f"{address}/hooks/{name}/{line.key}" if name not in NO_HOOK else ""
    if not line.active:
        light = Light("off", "Switched off")
    elif line.heard_at is not None:
        light = Light("ok", "Works")
    else:
        light = Light("warn", "Waiting for the first message")
    title = f"{sign.name}, {own}" if own else sign.name
    return ChannelRow(name, title, sign.icon, " · ".join(said), light, True, hook)
