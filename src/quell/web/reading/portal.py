"""What a reporter may see of his own requests: never a private note, never the words of another."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.errors import Refused
from quell.store.tables import attachment, channel, device, message, person, report, ticket
from quell.web.reading.joined import Member, members
from quell.web.reading.names import Names, source
from quell.web.reading.talk import talk_view
from quell.web.views.portal import MyRequest, PortalView, RequestView
from quell.web.views.signs import Chip, Face
from quell.web.views.ticket import File, Message
from quell.web.words import moment, when

REQUESTS_MAX = 40
STATES: dict[str, tuple[str, Chip]] = {
    "new": ("It has arrived. A person or a rule looks at it next.", Chip("Arrived", "accent")),
    "open": ("Somebody is on it.", Chip("In hand", "accent")),
    "waiting": ("We have asked you something and wait for your answer.", Chip("Waits for you", "warn")),
    "resolved": ("We think that it is solved.", Chip("Solved?", "good", "done")),
    "closed": ("It is solved.", Chip("Solved", "good", "done")),
}


async def portal_view(connection: AsyncConnection, email: str | None, names: Names) -> PortalView:
    """The form; for a known address also his devices and requests."""
    ways = await _ways(connection)
    if email is None:
        return PortalView(names.company, ways=ways)
    who = (await connection.execute(select(person).where(func.lower(person.c.email) == email.lower()))).one_or_none()
    if who is None:
        return PortalView(names.company, email=email, ways=ways)
    own = select(device.c.hostname).where(device.c.owner == who.id).order_by(device.c.hostname).limit(20)
    hosts = tuple(row.hostname for row in await connection.execute(own))
    return PortalView(
        names.company,
        who.name or "",
        email,
        devices=hosts,
        requests=await _requests(connection, who.id, names),
        ways=ways,
    )


async def _ways(connection: AsyncConnection) -> tuple[str, ...]:
    query = select(channel.c.settings["address"].astext).where(channel.c.name == "email", channel.c.active)
    return tuple(row[0] for row in await connection.execute(query) if row[0])


async def _requests(connection: AsyncConnection, number: int, names: Names) -> tuple[MyRequest, ...]:
    root = ticket.alias("root")
    query = (
        select(report, ticket.c.title, root.c.status, root.c.due_at, root.c.first_answer_due, root.c.open)
        .join(ticket, ticket.c.report == report.c.number)
        .join(root, root.c.number == ticket.c.root)
        .where(report.c.person == number)
        .order_by(root.c.open.desc(), report.c.at.desc())
        .limit(REQUESTS_MAX)
    )
    made = []
    for row in await connection.execute(query):
        says, chip = _state(row, names)
        sent = f"{source(row.channel).name}, {when(row.at, names.now, names.zone)}"
        made.append(MyRequest(row.number, row.title, f"{says} · {sent}", source(row.channel).icon, chip))
    return tuple(made)


def _state(row: Any, names: Names) -> tuple[str, Chip]:
    says, chip = STATES.get(row.status, STATES["open"])
    due = row.first_answer_due if row.status == "new" else row.due_at
    if row.open and due is not None and due > names.now and row.status in ("new", "open"):
        says = f"{says} You hear from us by {when(due, names.now, names.zone)}."
    return says, chip


async def request_view(connection: AsyncConnection, number: int, link: str, names: Names) -> RequestView:
    """One request with its conversation; files hang below its own link."""
    root = ticket.alias("root")
    query = (
        select(report, ticket.c.number.label("own"), ticket.c.title, root.c.number.label("root_number"), root.c.status,
               root.c.due_at, root.c.first_answer_due, root.c.open, root.c.reports, person.c.name)
        .outerjoin(ticket, ticket.c.report == report.c.number)
        .outerjoin(root, root.c.number == ticket.c.root)
        .outerjoin(person, person.c.id == report.c.person)
        .where(report.c.number == number)
    )  # fmt: skip
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise Refused("This request is no longer here.", 404, "no_such_request")
    says, chip = _state(row, names)
    if row.reports is not None and row.reports > 1 and row.open:
        says = f"{row.reports - 1} others report the same. {says}"
    found = [each for each in await members(connection, row.root_number or 0, [row.own or 0]) if each.report == number]
    talk = await talk_view(connection, found or [_alone(row)], number, names, notes=False)
    messages = tuple(_for_reporter(each, link) for each in talk.messages)
    at = moment(row.at, names.now, names.zone)
    return RequestView(
        names.company, number, row.title or "", chip, says, at, messages, link, row.status == "resolved", False,
        row.name or "",
    )  # fmt: skip


def _for_reporter(each: Message, link: str) -> Message:
    files = tuple(File(one.name, f"{link}{one.href}", one.size) for one in each.files)
    theirs = each.where.startswith("to ")
    where = "to you" if theirs else each.where
    face = each.face if theirs else Face(each.who, each.face.initials)
    return Message(face, each.who, where, each.at, each.text, False, each.report, files)


def _alone(row: Any) -> Member:
    return Member(
        row.number, 0, 0, None, "", row.channel, row.person, row.name or "", row.site, "", row.at, False, False, None
    )


async def file_of(connection: AsyncConnection, number: int, report_number: int | None) -> tuple[str, int]:
    """An attachment's name and content row; with a report it must stand in that one's own conversation."""
    query = (
        select(attachment.c.name, attachment.c.content)
        .join(message, message.c.id == attachment.c.message)
        .where(attachment.c.id == number)
    )
    if report_number is not None:
        query = query.where(message.c.report == report_number, message.c.direction != "note")
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise Refused("There is no such file.", 404, "no_such_file")
    return row.name, row.content
