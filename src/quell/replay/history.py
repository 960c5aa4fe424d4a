"""Reads a folder of history, and keeps each message's truth shut away until somebody has answered for the message."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from quell.core.errors import Fault, Refused

LINES_MAX = 1_000_000
LINE_BYTES_MAX = 4 * 1024 * 1024


@dataclass(frozen=True)
class Past:
    """One message of history without its truth; `reveal` gives the truth, for use after the answer only.

    `at` is in UTC, like every time that a live clock gives: a folded ticket spells its times out.
    """

    id: str
    at: datetime
    channel: str
    row: Mapping[str, object]
    _line: str = field(repr=False)

    def reveal(self) -> Mapping[str, object] | None:
        """What was true, None where nobody knows."""
        truth = json.loads(self._line).get("truth")
        return truth if isinstance(truth, dict) else None


def read_company_file(folder: Path) -> bytes:
    """The bytes of `company.json`."""
    path = folder / "company.json"
    if not path.is_file():
        raise Refused(f"{path} is missing", 422, "no_company_file")
    return path.read_bytes()


def read_messages(folder: Path) -> Iterator[Past]:
    """The messages of `messages.jsonl` in order of time; Refused (422) names the line that cannot be read."""
    path = folder / "messages.jsonl"
    if not path.is_file():
        raise Refused(f"{path} is missing", 422, "no_messages_file")
    found = [past_of(line, f"{path.name}:{number}") for number, line in _lines(path)]
    yield from sorted(found, key=lambda each: each.at)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if number > LINES_MAX or len(line) > LINE_BYTES_MAX:
                raise Refused(f"{path.name}:{number} is beyond what a replay reads", 413, "too_large")
            if line.strip():
                yield number, line


def past_of(line: str, place: str) -> Past:
    """The message of one line; Refused (422) naming the place when it cannot be read."""
    try:
        row = json.loads(line)
        row.pop("truth", None)
        at = datetime.fromisoformat(row["at"])
        if at.tzinfo is None:
            raise ValueError("the time has no offset")
        return Past(str(row["id"]), at.astimezone(UTC), str(row["channel"]), row, line)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(f"{place} cannot be read", 422, "bad_history", (Fault(place, str(error)),)) from error
