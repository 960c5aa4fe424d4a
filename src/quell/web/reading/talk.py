"""The conversation of a ticket: of everybody, or of one reporter alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.store import reports
from quell.store.reports import Words
from quell.store.tables import attachment, told
from quell.web.reading.joined import Member
from quell.web.reading.names import Names, source, with_actors
from quell.web.views.signs import Face
from quell.web.views.ticket import File, Message, Talk
from quell.web.words import initials, moment, size

MESSAGES_MAX = 40
PARTNERS_MAX = 12
STATES = {"waiting": "is being sent", "sending": "is being sent", "failed": "not sent", "kept_silent": "kept silent"}


@dataclass(frozen=True)
class _Said:
    """One message, or one answer that went to several reporters at once."""

    words: Words
    reports: tuple[int, ...]
    at: datetime


async def talk_view(
    connection: AsyncConnection, found: Sequence[Member], report: int | None, names: Names, notes: bool = True
) -> Talk:
    """Messages in order of time; an answer to many stands there once. With `report`, only that one's."""
    by_report = {each.report: each for each in found if not each.noise}
    chosen = [report] if report in by_report else list(by_report)
    words = [each for each in await reports.conversation(connection, chosen) if notes or each.direction != "note"]
    names = await with_actors(connection, names, {each.actor for each in words} | _people(words))
    said = _gathered(words)
    shown = said if report is not None else said[-MESSAGES_MAX:]
    ids = [each.words.id for each in shown]
    files, unsent = await _files(connection, ids), await _unsent(connection, ids)
    messages = tuple(_message(each, by_report, files, unsent, names) for each in shown)
    partners = _partners(by_report, words) if report is None else await _all_partners(connection, by_report)
    follows = len({each.person for each in by_report.values() if each.person is not None})
    return Talk(messages, partners, report, follows, len(said) - len(shown))


def _people(words: Sequence[Words]) -> set[str]:
    return {f"person:{each.person}" for each in words if each.person is not None}


def _gathered(words: Sequence[Words]) -> list[_Said]:
    made: list[_Said] = []
    for each in words:
        last = made[-1] if made else None
        same = last is not None and each.direction == "out" == last.words.direction and each.at == last.at
        if same and last is not None and (each.actor, each.text) == (last.words.actor, last.words.text):
            made[-1] = _Said(last.words, (*last.reports, each.report), last.at)
        else:
            made.append(_Said(each, (each.report,), each.at))
    return made


def _message(
    said: _Said,
    members: dict[int, Member],
    files: dict[int, tuple[File, ...]],
    unsent: dict[int, str],
    names: Names,
) -> Message:
    words, member = said.words, members[said.reports[0]]
    at = moment(said.at, names.now, names.zone)
    text = words.text or words.subject
    if words.direction == "in":
        who = names.of(f"person:{words.person}") if words.person is not None else member.hostname or ""
        sign = source(member.channel)
        who = who or sign.name
        face = Face(who, initials(who))
        return Message(face, who, sign.name, at, text, False, words.report, files.get(words.id, ()))
    who, face = names.of(words.actor), names.face(words.actor)
    where = _to(said, members)
    note = words.direction == "note"
    return Message(face, who, where, at, text, note, words.report, files.get(words.id, ()), unsent.get(words.id, ""))


def _to(said: _Said, members: dict[int, Member]) -> str:
    if len(said.reports) == 1:
        member = members[said.reports[0]]
        return f"to {member.name or source(member.channel).name}"
    people = {each.report for each in members.values() if each.person is not None}
    return "to everyone who reported" if people <= set(said.reports) else f"to {len(said.reports)} reporters"


def _partners(members: dict[int, Member], words: Sequence[Words]) -> tuple[tuple[int, str, int], ...]:
    counts: dict[int, int] = {}
    for each in words:
        if each.direction != "note":
            counts[each.report] = counts.get(each.report, 0) + 1
    people = [each for each in members.values() if each.person is not None]
    people.sort(key=lambda each: -counts.get(each.report, 0))
    return tuple((each.report, each.name or "Somebody", counts.get(each.report, 0)) for each in people[:PARTNERS_MAX])


async def _all_partners(connection: AsyncConnection, members: dict[int, Member]) -> tuple[tuple[int, str, int], ...]:
    return _partners(members, await reports.conversation(connection, list(members)))


async def _files(connection: AsyncConnection, messages: Sequence[int]) -> dict[int, tuple[File, ...]]:
    query = select(attachment).where(attachment.c.message.in_(messages)).order_by(attachment.c.id)
    found: dict[int, tuple[File, ...]] = {}
    for row in await connection.execute(query):
        file = File(row.name, f"/files/{row.id}", size(row.bytes))
        found[row.message] = (*found.get(row.message, ()), file)
    return found


async def _unsent(connection: AsyncConnection, messages: Sequence[int]) -> dict[int, str]:
    query = select(told.c.message, told.c.state, told.c.says).where(
        told.c.message.in_(messages), told.c.state != "sent"
    )
    rows = await connection.execute(query)
    return {row.message: f"{STATES.get(row.state, row.state)}{': ' + row.says if row.says else ''}" for row in rows}


def reaches(found: Sequence[Member]) -> str:
    """Where a reply to all goes: "Each gets it where he wrote: 12 Email, 9 Slack"."""
    counts: dict[str, int] = {}
    for each in found:
        if each.person is not None and not each.noise:
            name = source(each.channel).name
            counts[name] = counts.get(name, 0) + 1
    if not counts:
        return "Nobody can be answered: only machines reported it"
    listed = ", ".join(f"{count} {name}" for name, count in sorted(counts.items(), key=lambda each: -each[1]))
    return f"Each gets it where he wrote: {listed}" if sum(counts.values()) > 1 else f"By {next(iter(counts))}"
