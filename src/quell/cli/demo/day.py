"""The sample company's day: which messages are played, and how long after each other."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from importlib.resources import files
from typing import Any

from quell.core.errors import Refused
from quell.core.words import title_of

WHOLE = "all"
QUIET_S_MAX = 8.0


@dataclass(frozen=True)
class Spoken:
    """One message of the sample with what was true of it; `at` is the sample's own time."""

    row: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The message's name in the sample."""
        return str(self.row["id"])

    @cached_property
    def at(self) -> datetime:
        """When it came."""
        return datetime.fromisoformat(self.row["at"])

    @property
    def channel(self) -> str:
        """The way on which it came."""
        return str(self.row["channel"])

    @property
    def truth(self) -> Mapping[str, Any]:
        """What a technician makes of it in the end."""
        found: Mapping[str, Any] = self.row["truth"]
        return found

    @property
    def labels(self) -> Mapping[str, str]:
        """A machine's labels."""
        return {str(key): str(value) for key, value in (self.row.get("labels") or {}).items()}

    @property
    def title(self) -> str:
        """What its report is called."""
        return title_of(self.row.get("subject"), str(self.row["text"]))


def company() -> bytes:
    """The sample company's file."""
    return (files("quell") / "sample" / "company.json").read_bytes()


def messages(day: str) -> list[Spoken]:
    """The messages of one day (YYYY-MM-DD), of the busiest day (empty), or of all of them (`all`), in order."""
    text = (files("quell") / "sample" / "messages.jsonl").read_text(encoding="utf-8")
    everything = [Spoken(json.loads(line)) for line in text.splitlines() if line.strip()]
    if day == WHOLE:
        return everything
    days = Counter(each.at.date().isoformat() for each in everything)
    wanted = day or days.most_common(1)[0][0]
    if wanted not in days:
        known = ", ".join(sorted(days))
        raise Refused(f"nothing happened on {wanted}; days of the sample are {known}", 422, "no_such_day")
    return [each for each in everything if each.at.date().isoformat() == wanted]


def waits(spoken: Sequence[Spoken], speed: float) -> list[float]:
    """Seconds to wait before each message, so that an hour takes 3600 / speed; quiet stretches are cut short."""
    gaps = [0.0] + [(later.at - sooner.at).total_seconds() for sooner, later in zip(spoken, spoken[1:], strict=False)]
    return [min(max(gap, 0.0) / speed, QUIET_S_MAX) for gap in gaps]
