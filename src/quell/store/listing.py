"""Tickets and reports as programs read them: lists by cursor, one ticket whole, its timeline."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from quell.core.errors import Refused
from quell.store import content
from quell.store.tables import device, event, message, person, report, ticket

PAGE_MAX = 200
FIELDS = ("category", "owner", "assignee", "priority")


@dataclass(frozen=True)
class Page:
    """One page of a list, and the cursor of the next, None at the end."""

    items: list[dict[str, Any]]
    next: str | None


@dataclass(frozen=True)
class Filter:
    """Which tickets: by status group (`open`, `ended`, `noise`, `all`), category, owner or organisation."""

    state: str = "open"
    category: str | None = None
    owner: str | None = None


async def tickets_page(connection: AsyncConnection, wanted: Filter, after: int, limit: int) -> Page:
    """Tickets that stand alone, the newest first, below the cursor."""
    limit = max(1, min(limit, PAGE_MAX))
    query = select(ticket).where(ticket.c.joined_to.is_(None)).order_by(ticket.c.number.desc()).limit(limit + 1)
    if after:
        query = query.where(ticket.c.number < after)
    if wanted.state == "open":
        query = query.where(ticket.c.open)
    elif wanted.state == "ended":
        query = query.where(ticket.c.open.is_(False), ticket.c.noise.is_(False))
    elif wanted.state == "noise":
        query = query.where(ticket.c.noise)
    for name in ("category", "owner"):
        value = getattr(wanted, name)
        query = query.where(ticket.c[name] == value) if value else query
    rows = (await connection.execute(query)).all()
    more = len(rows) > limit
    return Page([ticket_json(row) for row in rows[:limit]], str(rows[limit - 1].number) if more else None)


async def one_ticket(connection: AsyncConnection, number: int) -> dict[str, Any]:
    """A ticket; Refused (404) when there is none."""
    row = (await connection.execute(select(ticket).where(ticket.c.number == number))).one_or_none()
    if row is None:
        raise Refused(f"there is no ticket {number}", 404, "no_such_ticket")
    return ticket_json(row)


def ticket_json(row: Any) -> dict[str, Any]:
    """A ticket as the API shows it, each field with its provenance."""
    found: dict[str, Any] = {
        "number": row.number,
        "title": row.title,
        "status": row.status,
        "organisation": row.organisation,
        "due": _iso(row.due_at),
        "first_answer_due": _iso(row.first_answer_due),
        "due_because": row.due_because,
        "reports": row.reports,
        "reporters": row.reporters,
        "machines": row.machines,
        "sites": row.sites,
        "opened": _iso(row.opened_at),
        "changed": _iso(row.changed_at),
        "version": row.version,
        "noise": row.noise,
        "joined_to": row.joined_to,
        "counts_to": row.root,
        "maybe_into": row.maybe_into,
        "needs_yes": row.needs_yes,
        "sure": row.sure,
    }
    for name in FIELDS:
        found[name] = field_json(row.shown.get(name))
    found["other_opinion"] = field_json(row.other) if row.other else None
    return found


def field_json(value: Mapping[str, Any] | None) -> dict[str, Any]:
    """A field with who set it; `proposed` is true for a guess that nobody has said yes to."""
    if value is None:
        return {"value": None, "set_by": None, "confidence": None, "reasons": [], "proposed": False}
    reasons = [{"says": each[0], "weight": each[1], "source": each[2]} for each in value.get("reasons") or []]
    return {
        "value": value["value"],
        "set_by": value["by"],
        "actor": value["actor"],
        "at": value["at"],
        "confidence": value["confidence"],
        "reasons": reasons,
        "proposed": bool(value.get("guess", False)),
    }


async def timeline(connection: AsyncConnection, number: int, after: int, limit: int) -> Page:
    """The events of a ticket and of its own report, oldest first, after the cursor (an event's id)."""
    limit = max(1, min(limit, PAGE_MAX))
    home = (await connection.execute(select(ticket.c.report).where(ticket.c.number == number))).scalar_one_or_none()
    if home is None:
        raise Refused(f"there is no ticket {number}", 404, "no_such_ticket")
    streams = (f"ticket:{number}", f"report:{home}")
    query = select(event).where(event.c.stream.in_(streams), event.c.id > after).order_by(event.c.id)
    rows = (await connection.execute(query.limit(limit + 1))).all()
    items = [
        {
            "id": row.id,
            "stream": row.stream,
            "seq": row.seq,
            "kind": row.kind,
            "at": _iso(row.at),
            "actor": row.actor,
            "body": json.loads(row.body),
            "hash": row.hash.hex(),
        }
        for row in rows[:limit]
    ]
    return Page(items, str(rows[limit - 1].id) if len(rows) > limit else None)


async def one_report(connection: AsyncConnection, number: int, *, words: bool = True) -> dict[str, Any]:
    """A report with its conversation."""
    query = (
        select(report, person.c.name.label("person_name"), person.c.email, device.c.hostname)
        .outerjoin(person, person.c.id == report.c.person)
        .outerjoin(device, device.c.id == report.c.device)
        .where(report.c.number == number)
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise Refused(f"there is no report {number}", 404, "no_such_report")
    found = report_json(row)
    found["counts_to"] = await _root(connection, row.ticket)
    if words:
        found["conversation"] = await _conversation(connection, number)
    return found


async def _root(connection: AsyncConnection, number: int | None) -> int | None:
    if number is None:
        return None
    found = (await connection.execute(select(ticket.c.root).where(ticket.c.number == number))).scalar_one_or_none()
    return int(found) if found is not None else None


def report_json(row: Any) -> dict[str, Any]:
    """A report as the API shows it."""
    return {
        "number": row.number,
        "ticket": row.ticket,
        "channel": row.channel,
        "reporter": {"name": row.person_name, "email": row.email} if row.person is not None else None,
        "device": row.hostname,
        "kind": row.kind,
        "labels": row.labels,
        "service": row.service,
        "site": row.site,
        "identity": row.identity,
        "repeats": row.repeats,
        "state": "over" if row.over_at is not None else "open",
        "over": _iso(row.over_at),
        "at": _iso(row.at),
    }


async def _conversation(connection: AsyncConnection, number: int) -> list[dict[str, Any]]:
    query = select(message).where(and_(message.c.report == number, message.c.direction != "note"))
    rows = (await connection.execute(query.order_by(message.c.at, message.c.id))).all()
    texts = await content.texts_of(connection, {each for row in rows for each in (row.text, row.subject) if each})
    return [
        {
            "id": row.id,
            "at": _iso(row.at),
            "direction": row.direction,
            "actor": row.actor,
            "subject": texts.get(row.subject) or None,
            "text": texts.get(row.text, ""),
        }
        for row in rows
    ]


async def reports_of(connection: AsyncConnection, number: int) -> list[dict[str, Any]]:
    """The reports that count to a ticket, oldest first, each with the strength of its join."""
    query = (
        select(
            report,
            person.c.name.label("person_name"),
            person.c.email,
            device.c.hostname,
            ticket.c.folded,
            ticket.c.title,
        )
        .join(ticket, ticket.c.report == report.c.number)
        .outerjoin(person, person.c.id == report.c.person)
        .outerjoin(device, device.c.id == report.c.device)
        .where(or_(ticket.c.root == number, ticket.c.maybe_into == number))
        .order_by(report.c.at, report.c.number)
    )
    return [
        {
            **report_json(row),
            "title": row.title,
            "joined_to": row.folded.get("joined_to"),
            "strength": row.folded.get("join_strength"),
        }
        for row in await connection.execute(query)
    ]


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
