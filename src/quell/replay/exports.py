"""Reads what other programs have kept, a mailbox or a help desk's export, as messages of the replay's own format."""

import csv
import hashlib
import json
import mailbox
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from quell.channels.email import CHANNEL as EMAIL
from quell.core.company import LEVELS, Company
from quell.core.errors import Fault, Refused
from quell.core.incoming import Hook
from quell.replay.history import LINES_MAX, Past, past_of, read_messages

CELL_CHARACTERS_MAX = 1024 * 1024
ID_DIGITS = 16
FAULTS_SHOWN_MAX = 20

# How help desks call what we need: the first name that a row has counts. Compared without case, spaces and signs.
NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "number", "key", "ticketid", "ticketnumber", "issuekey", "ticket"),
    "at": ("at", "created", "createdat", "createddate", "opened", "openedat", "syscreatedon", "reportedat", "date"),
    "sender": (
        "sender",
        "requesteremail",
        "requester",
        "reporter",
        "calleremail",
        "callerid",
        "caller",
        "from",
        "email",
    ),
    "subject": ("subject", "title", "summary", "shortdescription"),
    "text": ("text", "description", "body", "message", "comment", "details"),
    "channel": ("channel", "via", "source", "contacttype", "origin"),
    "device": ("device", "hostname", "configurationitem", "cmdbci", "asset"),
    "category": ("category", "service", "type"),
    "priority": ("priority", "urgency", "severity"),
    "owner": ("owner", "team", "group", "assignmentgroup", "assignedteam", "queue"),
    "problem": ("problem", "problemid", "parentincident", "parent", "duplicateof", "masterticket"),
    "kind": ("kind",),
}
LEVELS_CALLED = {
    "P1": ("p1", "1", "critical", "urgent", "highest", "blocker", "emergency"),
    "P2": ("p2", "2", "high", "major"),
    "P3": ("p3", "3", "medium", "moderate", "normal", "minor"),
    "P4": ("p4", "4", "5", "low", "lowest", "planning", "trivial"),
}
CHANNELS = ("email", "slack", "whatsapp", "portal")


def read_source(source: Path, company: Company) -> list[Past]:
    """The messages of a folder, an mbox, a CSV or a JSON (lines) file, in order of time.

    Refused (422) names what cannot be read; a truth that the company's lists do not know is left out.
    """
    if source.is_dir():
        return list(read_messages(source))
    readers: Mapping[str, Callable[[Path, Company], Iterator[Past]]] = {
        ".mbox": _mails, ".mbx": _mails, ".csv": _table, ".json": _objects, ".jsonl": _objects,
    }  # fmt: skip
    if source.suffix.lower() not in readers:
        raise Refused(f"{source.name}: a replay reads a folder, .mbox, .csv, .json or .jsonl", 422, "unknown_source")
    return sorted(readers[source.suffix.lower()](source, company), key=lambda each: each.at)


def _mails(path: Path, company: Company) -> Iterator[Past]:
    known: set[str] = set()
    box = mailbox.mbox(path, create=False)
    for number, key in enumerate(box.keys()):
        raw = box.get_bytes(key)
        (heard,) = EMAIL.read(Hook(raw), {})
        if heard.at is None or heard.sender is None:
            continue
        own = heard.own_keys[0] if heard.own_keys else hashlib.sha256(raw).hexdigest()[:ID_DIGITS]
        if own in known:
            continue
        known.add(own)
        answers = next((each for each in heard.thread if each in known and each != own), None)
        row: dict[str, object] = {
            "id": own, "at": heard.at.isoformat(), "channel": "email", "sender": heard.sender.address, "device": None,
            "subject": heard.subject, "text": heard.text, "labels": {},
        }  # fmt: skip
        yield past_of(json.dumps(row | ({"reply_to": answers} if answers else {})), f"{path.name}: mail {number + 1}")


def _table(path: Path, company: Company) -> Iterator[Past]:
    csv.field_size_limit(CELL_CHARACTERS_MAX)
    with path.open(encoding="utf-8-sig", newline="") as file:
        sample = file.read(4096)
        file.seek(0)
        try:
            dialect: type[csv.Dialect] | str = csv.Sniffer().sniff(sample, delimiters=",;\t")
        except csv.Error:
            dialect = "excel"
        yield from _rows(list(csv.DictReader(file, dialect=dialect))[:LINES_MAX], path.name, company)


def _objects(path: Path, company: Company) -> Iterator[Past]:
    text = path.read_text(encoding="utf-8-sig")
    try:
        lines = path.suffix.lower() == ".jsonl"
        found = [json.loads(line) for line in text.splitlines() if line.strip()] if lines else json.loads(text)
    except ValueError as error:
        raise Refused(f"{path.name} cannot be read: {error}", 422, "bad_history") from error
    if isinstance(found, dict):
        found = next((each for each in found.values() if isinstance(each, list)), [])
    yield from _rows([each for each in found if isinstance(each, dict)][:LINES_MAX], path.name, company)


def _rows(rows: Sequence[Mapping[str, object]], name: str, company: Company) -> Iterator[Past]:
    faults = []
    for number, row in enumerate(rows, 1):
        place = f"{name}:{number}"
        try:
            yield past_of(json.dumps(_row(row, number, company)), place)
        except (ValueError, KeyError) as error:
            faults.append(Fault(place, str(error)))
    if faults:
        raise Refused(
            f"{len(faults)} rows of {name} cannot be read", 422, "bad_history", tuple(faults[:FAULTS_SHOWN_MAX])
        )


def _row(row: Mapping[str, object], number: int, company: Company) -> dict[str, object]:
    """One row in the replay's format; ValueError when it has no time."""
    if isinstance(row.get("truth"), dict) and "at" in row:
        return dict(row)
    by_name = {_plain(str(key)): str(value).strip() for key, value in row.items() if value not in (None, "")}
    given = {ours: next((by_name[each] for each in theirs if each in by_name), None) for ours, theirs in NAMES.items()}
    channel = next((each for each in CHANNELS if each in (given["channel"] or "").lower()), "portal")
    return {
        "id": given["id"] or f"row-{number}",
        "at": _time(given["at"], company).isoformat(),
        "channel": channel,
        "sender": given["sender"],
        "device": given["device"],
        "subject": given["subject"],
        "text": given["text"] or given["subject"] or "",
        "labels": {},
        "truth": _truth(given, company),
    }


def _truth(given: Mapping[str, str | None], company: Company) -> dict[str, object]:
    categories = {name: each.key for each in company.categories for name in (_plain(each.key), _plain(each.name))}
    teams = {name: each.key for each in company.teams for name in (_plain(each.key), _plain(each.name))}
    return {
        "kind": given["kind"] or "incident",
        "category": categories.get(_plain(given["category"] or "")),
        "priority": _level(given["priority"]),
        "owner": teams.get(_plain(given["owner"] or "")),
        "problem": given["problem"],
        "action": None,
        "why": "",
    }


def _level(called: str | None) -> str | None:
    words = "".join(each if each.isalnum() else " " for each in (called or "").lower()).split()
    return next((level for level in LEVELS for word in words if word in LEVELS_CALLED[level]), None)


def _time(text: str | None, company: Company) -> datetime:
    if text is None:
        raise ValueError("there is no column that says when it was created")
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        try:
            at = parsedate_to_datetime(text)
        except ValueError:
            raise ValueError(f"{text!r} is no time: write 2026-03-09 08:01:44 or the like") from None
    return at if at.tzinfo is not None else at.replace(tzinfo=ZoneInfo(company.timezone))


def _plain(name: str) -> str:
    return "".join(each for each in name.lower() if each.isalnum())
