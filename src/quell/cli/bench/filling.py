"""Fills a database with many open tickets at once, through the real log: chains and tables as verbs leave them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Table, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.company import DEFAULT_ORGANISATION, Company, Level
from quell.core.event import START_HASH, Event, Json, content_digest, link
from quell.core.incident import gather
from quell.core.merkle import bucket_of
from quell.core.priority import LEVELS, Crowd
from quell.core.reading import Reason
from quell.core.sla import Timing, due
from quell.core.ticket import fold, reasons_json
from quell.store import companies, deliveries
from quell.store.change import Change
from quell.store.incidents import gathered_columns
from quell.store.tables import chain_head, content, event, message, person, proposal, report, ticket
from quell.store.ticket_form import to_json

CHANNEL = "bench"
MODEL, VERSION = "bench", "bench-1"
ACTOR = f"model:{MODEL}/{VERSION}"
SPREAD = timedelta(days=5)
SALT = b"salt of a bench."
WORDS = (
    "the printer on the second floor takes the job and prints nothing",
    "cannot open the department drive since this morning",
    "wireless drops every few minutes in the meeting rooms",
    "please give our new colleague the rights of the old one",
    "the application hangs when a letter is saved",
)


@dataclass
class Rows:
    """What will be copied in, a list of rows for each table, in the order in which they point to each other."""

    of: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, table: Table, **values: object) -> None:
        """One row more."""
        self.of.setdefault(table.name, []).append(values)


@dataclass
class Filler:
    """Makes tickets for one company; `free` holds the next free number of each table that has one."""

    company: Company
    timing: Timing
    people: Sequence[int]
    free: dict[str, int]
    rows: Rows = field(default_factory=Rows)

    def number(self, table: Table) -> int:
        """A fresh number."""
        self.free[table.name] += 1
        return self.free[table.name]

    def ticket(self, index: int, at: datetime) -> None:
        """One report with its message, its ticket, three proposals and all their events."""
        who = self.people[index % len(self.people)]
        of_report, of_ticket = self.number(report), self.number(ticket)
        title = f"{WORDS[index % len(WORDS)]} ({index})"
        said, words = self._message(of_report, of_ticket, who, title, at)
        self._chain(f"report:{of_report}", at, self._told(who, said, words, of_ticket))
        events = self._chain(f"ticket:{of_ticket}", at, self._sorted(of_report, of_ticket, index, at))
        state = fold(events)
        level = state.believed("priority")
        promise = due(at, _level(level.value if level else None), self.timing.calendar, self.timing.promises)
        shown = gathered_columns(gather(state, (), Crowd(1, 1, 0, 1)))
        self.rows.add(
            ticket, number=of_ticket, organisation=DEFAULT_ORGANISATION, report=of_report, title=title,
            folded=to_json(state), version=state.version, status=str(state.status_shown), open=True, noise=False,
            root=of_ticket, needs_yes=True, sure=0.5, opened_at=at, changed_at=at, heard_at=at,
            first_answer_due=promise.first_answer, due_at=promise.solution, due_because=promise.because, **shown,
        )  # fmt: skip

    def _message(
        self, of_report: int, of_ticket: int, who: int, title: str, at: datetime
    ) -> tuple[int, dict[str, Json]]:
        kept, said, body = self.number(content), self.number(message), title.encode()
        digest = content_digest(SALT, body)
        self.rows.add(
            content, id=kept, salt=SALT, digest=digest, body=body, media_type="text/plain; charset=utf-8", person=who
        )
        site = self.company.sites[of_report % len(self.company.sites)].key if self.company.sites else None
        self.rows.add(
            report, number=of_report, organisation=DEFAULT_ORGANISATION, channel="portal", channel_key=CHANNEL,
            person=who, kind="incident", site=site, ticket=of_ticket, at=at,
        )  # fmt: skip
        self.rows.add(
            message, id=said, report=of_report, direction="in", actor=f"person:{who}", person=who, text=kept,
            source_key=f"bench {said}", at=at,
        )  # fmt: skip
        return said, {"content": kept, "digest": digest.hex()}

    def _told(
        self, who: int, said: int, words: dict[str, Json], of_ticket: int
    ) -> list[tuple[str, str, dict[str, Json]]]:
        made: dict[str, Json] = {"channel": "portal", "organisation": DEFAULT_ORGANISATION, "person": who}
        return [
            ("report_made", "channel:portal", made),
            ("message_in", f"person:{who}", {"message": said, "direction": "in", "text": words}),
            ("ticket_given", "intake", {"ticket": of_ticket, "why": "no thread that we know"}),
        ]

    def _sorted(
        self, of_report: int, of_ticket: int, index: int, at: datetime
    ) -> list[tuple[str, str, dict[str, Json]]]:
        category = self.company.categories[index % len(self.company.categories)]
        values = {"category": category.key, "owner": category.team, "priority": LEVELS[1 + index % 3]}
        opened: dict[str, Json] = {"ticket": of_ticket, "report": of_report, "organisation": DEFAULT_ORGANISATION}
        assessed: dict[str, Json] = {"impact": "one", "urgency": "medium", "kind": "incident"}
        made: list[tuple[str, str, dict[str, Json]]] = [("ticket_opened", "intake", opened)]
        made.append(("ticket_assessed", ACTOR, assessed))
        for name, value in values.items():
            number = self._propose(of_report, of_ticket, name, value, at)
            reasons = reasons_json((Reason("its words", 80.0),))
            body: dict[str, Json] = {
                "field": name, "value": value, "by": "model", "confidence": 0.8, "reasons": reasons,
                "proposal": number, "why": "it asks",
            }  # fmt: skip
            made.append(("proposal_made", ACTOR, body))
        return made

    def _propose(self, of_report: int, of_ticket: int, name: str, value: str | None, at: datetime) -> int:
        number = self.number(proposal)
        self.rows.add(
            proposal, id=number, ticket=of_ticket, report=of_report, field=name, value=value, confidence=0.8,
            reasons=reasons_json((Reason("its words", 80.0),)), ranked=[[value, 0.8]], sure=0.5, model=MODEL,
            version=VERSION, input_digest=sha256(name.encode()).digest(), state="open", at=at,
        )  # fmt: skip
        return number

    def _chain(self, stream: str, at: datetime, made: Sequence[tuple[str, str, dict[str, Json]]]) -> list[Event]:
        """Hang the events onto their chain, as `store.chain` does; the table's rows, and the events."""
        previous, events = START_HASH, []
        for seq, (kind, actor, body) in enumerate(made, 1):
            one = link(Event(stream, seq, kind, at, actor, body), previous)
            self.rows.add(
                event, stream=stream, seq=seq, kind=kind, at=at, actor=actor, body=one.text, previous=previous,
                hash=one.hash,
            )  # fmt: skip
            previous = one.hash
            events.append(one.event)
        self.rows.add(chain_head, stream=stream, seq=len(made), hash=previous, bucket=bucket_of(stream))
        return events


async def fill(change: Change, count: int) -> None:
    """Add so many open tickets, spread over the last days; the change must be the only one at work on the database."""
    connection = change.connection
    people = [row.id for row in await connection.execute(select(person.c.id).order_by(person.c.id))]
    if await deliveries.line(connection, CHANNEL) is None:
        await deliveries.add_line(change, CHANNEL, "portal", {}, DEFAULT_ORGANISATION)
    company, timing = await companies.required(connection), await companies.timing(connection)
    tables = (content, report, message, ticket, proposal)
    filler = Filler(company, timing, people, {each.name: await _highest(connection, each) for each in tables})
    for index in range(count):
        filler.ticket(index, change.at - SPREAD * (count - index) / count)
    for table in (content, report, message, ticket, proposal, event, chain_head):
        await _copy(connection, table, filler.rows.of[table.name])
    for table in tables:
        await _set_counter(connection, table)


async def _highest(connection: AsyncConnection, table: Table) -> int:
    key = next(iter(table.primary_key.columns))
    found = (await connection.execute(select(key).order_by(key.desc()).limit(1))).scalar_one_or_none()
    return int(found) if found is not None else 0


async def _set_counter(connection: AsyncConnection, table: Table) -> None:
    key = next(iter(table.primary_key.columns)).name
    counter = f"pg_get_serial_sequence('{table.name}', '{key}')"
    await connection.execute(text(f"SELECT setval({counter}, (SELECT max({key}) FROM {table.name}))"))


async def _copy(connection: AsyncConnection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    raw: Any = (await connection.get_raw_connection()).driver_connection
    names = list(rows[0])
    types = [table.c[name].type for name in names]
    async with raw.cursor() as cursor:
        async with cursor.copy(f"COPY {table.name} ({', '.join(names)}) FROM STDIN") as copy:
            for row in rows:
                await copy.write_row([_as_column(row[name], kind) for name, kind in zip(names, types, strict=True)])


def _as_column(value: Any, kind: object) -> Any:
    return Jsonb(value) if isinstance(kind, JSONB) and value is not None else value


def _level(value: str | None) -> Level | None:
    return next((each for each in LEVELS if each == value), None)
