"""A slice of the sample company's history, and a model that can be watched while it is replayed."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from quell.core.company import Company
from quell.core.gate import Checked
from quell.core.reading import Correction, JoinOption, Known, Message, OpenTicket, Proposal, Reading, Reason

SAMPLE = Path(__file__).parents[2] / "src" / "quell" / "sample"
MESSAGES = 30
ALIKE = 0.25


@dataclass
class Watched:
    """Reads by common words; `asked` holds the texts that it was shown, `learnt` what it was taught, in order."""

    name: str = "watched"
    version: str = "watched-1"
    sure: float = 0.5
    asked: list[str] = field(default_factory=list)
    learnt: list[tuple[str, Correction]] = field(default_factory=list)

    def fit(self, company: Company, known: Sequence[Known] = ()) -> None:
        self.categories = [each.key for each in company.categories]
        self.teams = {each.key: each.team for each in company.categories}

    @property
    def prior(self) -> tuple[Checked, ...]:
        """No other company was ever read."""
        return ()

    def propose(self, message: Message, tickets: Sequence[OpenTicket], at: datetime) -> Reading:
        self.asked.append(message.text)
        category = self.categories[len(message.text) % len(self.categories)]
        shares = [(alike(message.text, each.members[0].text), each.number) for each in tickets]
        share, place = max(shares, default=(0.0, None))
        place = place if share > ALIKE else None
        reasons = (Reason("the words are alike", 100.0),)
        return Reading(
            kind=Proposal("kind", "resolved" if message.resolved else "incident", 0.9, reasons),
            category=Proposal("category", category, 0.8, reasons),
            owner=Proposal("owner", self.teams[category], 0.8, reasons),
            priority=Proposal("priority", "P3", 0.7, reasons),
            place=place,
            place_confidence=0.6,
            joins=(JoinOption(place, 0.6, reasons),) if place else (),
            sure=self.sure,
            impact="one",
            urgency="medium",
            model=self.name,
            version=self.version,
        )

    def learn(self, message: Message, correction: Correction) -> None:
        self.learnt.append((message.text, correction))

    def similar(self, message: Message, others: Sequence[Message]) -> Sequence[float]:
        return [alike(message.text, each.text) for each in others]


def alike(one: str, other: str) -> float:
    first, second = (set(re.findall(r"\w{4,}", each.lower())) for each in (one, other))
    return len(first & second) / max(1, len(first | second))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The sample company with the first messages of its history."""
    (tmp_path / "company.json").write_bytes((SAMPLE / "company.json").read_bytes())
    lines = (SAMPLE / "messages.jsonl").read_text(encoding="utf-8").splitlines()[:MESSAGES]
    (tmp_path / "messages.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def rewrite_truths(folder: Path, after: int) -> None:
    """Put another truth beside every message from the given one on."""
    path = folder / "messages.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for row in rows[after:]:
        row["truth"] = {
            "kind": "request", "category": "howto", "priority": "P1", "owner": "desk", "problem": "another",
            "action": None, "why": "",
        }  # fmt: skip
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n", encoding="utf-8")
