"""A company with two weeks of messages and the truth beside them, read from a scenario folder."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from quell.core.company import (
    DEFAULT_ORGANISATION,
    AllowedAction,
    Category,
    Company,
    Device,
    Person,
    Service,
    Site,
    Team,
)
from quell.core.reading import Message


@dataclass(frozen=True)
class Truth:
    """What would have been right; `problem` is the same for all messages about one occurrence, never None."""

    kind: str
    category: str | None
    owner: str | None
    priority: str | None
    problem: str
    action: str | None = None


@dataclass(frozen=True)
class Scenario:
    """One company's stream; `truths` are by message id and must not be looked at before the answer."""

    name: str
    company: Company
    messages: tuple[Message, ...]
    truths: Mapping[str, Truth]


def read_scenarios(data_dir: Path) -> list[Scenario]:
    """Every folder with a company.json, in order of name; or the folder itself."""
    folders = sorted(path.parent for path in data_dir.glob("*/company.json"))
    return [read_scenario(folder) for folder in folders or [data_dir]]


def read_scenario(folder: Path) -> Scenario:
    """Read company.json and messages.jsonl."""
    company = read_company(json.loads((folder / "company.json").read_text(encoding="utf-8")))
    lines = (folder / "messages.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines if line.strip()]
    organisations = {p.email: p.organisation for p in company.people}
    organisations |= {d.hostname.lower(): d.organisation for d in company.devices}
    problems: dict[str, str] = {}
    truths: dict[str, Truth] = {}
    for row in rows:
        truth = row.get("truth") or {}
        problem = truth.get("problem") or problems.get(row.get("reply_to") or "") or f"alone:{row['id']}"
        problems[row["id"]] = problem
        if truth:
            truths[row["id"]] = Truth(
                truth["kind"], truth["category"], truth["owner"], truth["priority"], problem, truth.get("action")
            )
    return Scenario(folder.name, company, tuple(read_message(row, organisations) for row in rows), truths)


def read_message(row: Mapping[str, Any], organisations: Mapping[str, str]) -> Message:
    """One line of messages.jsonl; never looks at `truth`."""
    labels = {str(k): str(v) for k, v in (row.get("labels") or {}).items()}
    organisation = organisations.get(row.get("sender") or "") or organisations.get((row.get("device") or "").lower())
    return Message(
        id=row["id"],
        at=datetime.fromisoformat(row["at"]),
        channel=row["channel"],
        text=row["text"],
        subject=row.get("subject"),
        sender=row.get("sender"),
        device=row.get("device"),
        labels=labels,
        reply_to=row.get("reply_to"),
        identity=labels.get("fingerprint"),
        resolved=is_resolved(labels),
        organisation=organisation,
    )


def is_resolved(labels: Mapping[str, str]) -> bool:
    """Whether a machine says that it is over."""
    return labels.get("status", "").lower() in ("resolved", "ok", "up", "recovery", "recovered", "resolve", "closed")


def read_company(raw: Mapping[str, Any]) -> Company:
    """company.json as a Company; unknown keys are left out."""

    def organisation(row: Mapping[str, Any]) -> str:
        return str(row.get("organisation") or DEFAULT_ORGANISATION)

    return Company(
        name=raw["name"],
        timezone=raw["timezone"],
        business_hours={day: tuple((a, b) for a, b in spans) for day, spans in raw["business_hours"].items()},
        sites=tuple(
            Site(r["key"], r["name"], tuple(r.get("aliases", ())), organisation(r)) for r in raw.get("sites", ())
        ),
        services=tuple(
            Service(
                r["key"],
                r["name"],
                r.get("description", ""),
                tuple(r.get("aliases", ())),
                int(r.get("criticality", 3)),
                r.get("owner"),
                organisation(r),
            )
            for r in raw.get("services", ())
        ),
        teams=tuple(Team(r["key"], r["name"], r.get("handles", "")) for r in raw.get("teams", ())),
        categories=tuple(
            Category(r["key"], r["name"], r.get("description", ""), r.get("team")) for r in raw.get("categories", ())
        ),
        people=tuple(
            Person(
                r["email"],
                r["name"],
                r.get("department", ""),
                r.get("site"),
                r.get("title", ""),
                bool(r.get("vip")),
                organisation(r),
            )
            for r in raw.get("people", ())
        ),
        devices=tuple(
            Device(
                r["hostname"],
                r.get("owner_email"),
                r.get("kind", "laptop"),
                r.get("os") or "",
                r.get("site"),
                organisation(r),
            )
            for r in raw.get("devices", ())
        ),
        priorities=raw.get("priorities", {}),
        actions=tuple(AllowedAction(r["key"], r.get("description", "")) for r in raw.get("actions", ())),
        repo_files=tuple(raw.get("repo_files", ())),
    )
