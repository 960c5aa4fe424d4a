"""Reports: what somebody told us, with its own conversation, kept for ever and never copied."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, and_, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.errors import Refused
from quell.core.event import Json
from quell.core.incoming import Attachment
from quell.store import content
from quell.store.change import Change
from quell.store.tables import attachment, message, report, report_key

THREAD_KEYS_MAX = 200


@dataclass(frozen=True)
class Report:
    """A report as the rooms see it; `ticket` is its own ticket, None for noise that opened none."""

    number: int
    organisation: str
    channel: str
    channel_key: str
    person: int | None
    device: int | None
    identity: str | None
    labels: Mapping[str, str]
    service: str | None
    site: str | None
    kind: str | None
    route: Mapping[str, str]
    muted: tuple[str, ...]
    trusted: bool
    repeats: int
    ticket: int | None
    follows: int | None
    at: datetime
    over_at: datetime | None


@dataclass(frozen=True)
class NewReport:
    """What a report is made of, before it has a number."""

    organisation: str
    channel: str
    channel_key: str
    at: datetime
    person: int | None = None
    device: int | None = None
    identity: str | None = None
    labels: Mapping[str, str] | None = None
    service: str | None = None
    site: str | None = None
    route: Mapping[str, str] | None = None
    muted: tuple[str, ...] = ()
    trusted: bool = True
    follows: int | None = None


@dataclass(frozen=True)
class Words:
    """One message of a report's conversation, with its words read out of the content rows."""

    id: int
    report: int
    direction: str
    actor: str
    person: int | None
    at: datetime
    subject: str
    text: str
    kind: str | None
    source_key: str | None = None


def stream(number: int) -> str:
    """The stream of one report."""
    return f"report:{number}"


async def add(change: Change, new: NewReport, actor: str) -> int:
    """Write a new report; its number."""
    values = {
        "organisation": new.organisation,
        "channel": new.channel,
        "channel_key": new.channel_key,
        "person": new.person,
        "device": new.device,
        "identity": new.identity,
        "labels": dict(new.labels or {}),
        "service": new.service,
        "site": new.site,
        "route": dict(new.route or {}),
        "muted": list(new.muted),
        "trusted": new.trusted,
        "follows": new.follows,
        "at": new.at,
    }
    number = int(
        (await change.connection.execute(report.insert().values(values).returning(report.c.number))).scalar_one()
    )
    body: dict[str, Json] = {"channel": new.channel, "organisation": new.organisation}
    body |= {key: value for key, value in (("person", new.person), ("device", new.device)) if value is not None}
    await change.record(stream(number), "report_made", actor, body)
    return number


async def load(connection: AsyncConnection, number: int, *, lock: bool = False) -> Report:
    """The report with this number; Refused (404) when there is none."""
    query = select(report).where(report.c.number == number)
    row = (await connection.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        raise Refused(f"there is no report {number}", 404, "no_such_report")
    return _report(row)


async def load_many(connection: AsyncConnection, numbers: Iterable[int]) -> dict[int, Report]:
    """The reports with these numbers."""
    rows = await connection.execute(select(report).where(report.c.number.in_(list(numbers))))
    return {row.number: _report(row) for row in rows}


async def by_thread(connection: AsyncConnection, channel_key: str, keys: Sequence[str]) -> Report | None:
    """The report that one of these thread keys names, the strongest key first."""
    wanted = list(keys[:THREAD_KEYS_MAX])
    if not wanted:
        return None
    query = select(report_key.c.key, report_key.c.report).where(
        report_key.c.channel == channel_key, report_key.c.key.in_(wanted)
    )
    found = {row.key: row.report for row in await connection.execute(query)}
    number = next((found[key] for key in wanted if key in found), None)
    return await load(connection, number) if number is not None else None


async def by_identity(connection: AsyncConnection, channel_key: str, identity: str) -> Report | None:
    """The latest report of a machine's problem, over or not, locked so that two states of it come one by one."""
    await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{channel_key} {identity}", 0))))
    query = select(report).where(report.c.channel_key == channel_key, report.c.identity == identity)
    row = (await connection.execute(query.order_by(report.c.at.desc(), report.c.number.desc()).limit(1))).one_or_none()
    return _report(row) if row is not None else None


async def of_tickets(connection: AsyncConnection, tickets: Iterable[int]) -> list[Report]:
    """The reports of these tickets, oldest first."""
    query = select(report).where(report.c.ticket.in_(list(tickets))).order_by(report.c.at, report.c.number)
    return [_report(row) for row in await connection.execute(query)]


async def add_keys(connection: AsyncConnection, channel_key: str, number: int, keys: Iterable[str]) -> None:
    """Remember the names by which later messages refer to this report; a name that is taken stays where it is."""
    rows = [{"channel": channel_key, "key": key, "report": number} for key in dict.fromkeys(keys) if key]
    if rows:
        await connection.execute(insert(report_key).on_conflict_do_nothing(), rows)


async def keys_of(connection: AsyncConnection, number: int) -> tuple[str, ...]:
    """All names of a report on its channel, in the order in which they became known."""
    query = select(report_key.c.key).where(report_key.c.report == number)
    return tuple(row.key for row in await connection.execute(query))


async def update(connection: AsyncConnection, number: int, **values: object) -> None:
    """Write columns of a report's row."""
    await connection.execute(report.update().where(report.c.number == number).values(values))


async def add_message(
    change: Change,
    number: int,
    direction: str,
    actor: str,
    text: str,
    *,
    person: int | None = None,
    subject: str | None = None,
    full_text: str | None = None,
    source_key: str | None = None,
    attachments: Sequence[Attachment] = (),
) -> int:
    """Write one message into a report's conversation (`in`, `out` or `note`), its words as content; its id."""
    connection = change.connection
    words = await content.keep(connection, text, person)
    title = await content.keep(connection, subject, person) if subject else None
    whole = await content.keep(connection, full_text, person) if full_text and full_text != text else None
    values = {
        "report": number,
        "direction": direction,
        "actor": actor,
        "person": person,
        "subject": title.id if title else None,
        "text": words.id,
        "full_text": whole.id if whole else None,
        "source_key": source_key,
        "at": change.at,
    }
    made = int((await connection.execute(message.insert().values(values).returning(message.c.id))).scalar_one())
    body: dict[str, Json] = {"message": made, "direction": direction, "text": words.mention()}
    body |= {"subject": title.mention()} if title else {}
    body |= {"full_text": whole.mention()} if whole else {}
    files = [await _attach(change, made, each, person) for each in attachments]
    body |= {"files": [*files]} if files else {}
    await change.record(stream(number), f"message_{direction}", actor, body)
    return made


async def _attach(change: Change, to_message: int, file: Attachment, person: int | None) -> Json:
    kept = await content.keep(change.connection, file.content, person, file.media_type)
    values = {
        "message": to_message,
        "name": file.name.replace("\0", ""),
        "media_type": file.media_type,
        "bytes": len(file.content),
        "content": kept.id,
    }
    await change.connection.execute(attachment.insert().values(values))
    return kept.mention()


async def mark_kind(connection: AsyncConnection, message_id: int, kind: str) -> None:
    """Write what kind of message a model took this one for."""
    await connection.execute(message.update().where(message.c.id == message_id).values(kind=kind))


async def said_already(connection: AsyncConnection, channel_key: str, source_key: str) -> int | None:
    """The report in whose conversation this very message stands already, or None."""
    query = (
        select(message.c.report)
        .join(report, report.c.number == message.c.report)
        .where(message.c.source_key == source_key, report.c.channel_key == channel_key)
        .limit(1)
    )
    return (await connection.execute(query)).scalar_one_or_none()


async def conversation(connection: AsyncConnection, numbers: Iterable[int]) -> list[Words]:
    """The messages of these reports in order of time, with their words."""
    query = select(message).where(message.c.report.in_(list(numbers))).order_by(message.c.at, message.c.id)
    rows = (await connection.execute(query)).all()
    wanted = {each for row in rows for each in (row.text, row.subject) if each is not None}
    texts = await content.texts_of(connection, wanted)
    return [
        Words(
            row.id,
            row.report,
            row.direction,
            row.actor,
            row.person,
            row.at,
            texts.get(row.subject, ""),
            texts.get(row.text, ""),
            row.kind,
            row.source_key,
        )
        for row in rows
    ]


async def recent_automatic(connection: AsyncConnection, person: int, since: datetime) -> int:
    """How many automatic answers a person has been sent since then, over all reports."""
    query = (
        select(func.count())
        .select_from(message)
        .join(report, report.c.number == message.c.report)
        .where(
            and_(report.c.person == person, message.c.direction == "out", message.c.at >= since),
            or_(message.c.actor == "system", message.c.actor.startswith("rule:")),
        )
    )
    return int((await connection.execute(query)).scalar_one())


def _report(row: Row[tuple[object, ...]]) -> Report:
    values = dict(row._mapping)
    values["muted"] = tuple(values["muted"])
    return Report(**values)
