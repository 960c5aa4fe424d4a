"""Written pairs of reports, the same problem or a look-alike, as further rows for the join."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from quell.core.company import Category, Company, Team
from quell.core.reading import Message, OpenTicket
from quell.ml.engine import Engine
from quell.ml.knowledge import Knowledge
from quell.ml.training.scenario import Truth
from quell.ml.training.states import Step

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
OTHERS, STRIDE, AGE_STRIDE_MINUTES, AGE_MAX_MINUTES = 8, 7, 37, 600
PEOPLE = frozenset({"slack", "email", "whatsapp", "portal", "phone", "teams", "sms"})


def generic_company(knowledge: Knowledge) -> Company:
    """A company whose categories are the day-0 intents, for texts that belong to no company."""
    teams = sorted({str(intent.get("usual_team") or "desk") for intent in knowledge.intents})
    return Company(
        name="generic",
        timezone="UTC",
        business_hours={day: (("08:00", "18:00"),) for day in ("mon", "tue", "wed", "thu", "fri")},
        teams=tuple(Team(team, team) for team in teams),
        categories=tuple(
            Category(i["key"], i["name"], i["description"], str(i.get("usual_team") or "desk"))
            for i in knowledge.intents
        ),
    )


def read_pairs(path: Path, engine: Engine) -> list[Step]:
    """Each pair's first report as one ticket among those of eight other pairs; the second as the message."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    steps = []
    for index, row in enumerate(rows):
        message = _message(f"b{index}", row["b"], MONDAY + timedelta(minutes=AGE_MAX_MINUTES))
        gap = abs(float(row["b"]["at_minutes"]) - float(row["a"]["at_minutes"]))
        tickets = [_ticket(1, f"own{index}", row["a"], message.at - timedelta(minutes=gap))]
        for number in range(1, OTHERS + 1):
            other = (index + number * STRIDE) % len(rows)
            age = timedelta(minutes=other * AGE_STRIDE_MINUTES % AGE_MAX_MINUTES)
            tickets.append(_ticket(number + 1, f"a{other}", rows[other]["a"], message.at - age))
        way = engine.begin(message, tickets, message.at)
        same = bool(row["same_problem"])
        steps.append(Step(message, Truth("incident", None, None, None, "pair"), way, 1 if same else None))
    return steps


def _ticket(number: int, key: str, side: dict[str, Any], at: datetime) -> OpenTicket:
    return OpenTicket(number, at, (_message(key, side, at),))


def _message(key: str, side: dict[str, Any], at: datetime) -> Message:
    person = side["source"] in PEOPLE
    labels = {} if person else {str(name): str(value) for name, value in side["labels"].items()}
    sender = str(side["labels"].get("from") or side["labels"].get("user") or key) if person else None
    channel = "slack" if side["source"] in ("phone", "teams", "sms") else side["source"]
    return Message(key, at, channel, side["text"], sender=sender, labels=labels)
