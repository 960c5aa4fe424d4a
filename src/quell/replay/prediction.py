"""What was answered for each message, in the format that the scorer reads."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass
class Prediction:
    """One line; `ticket` is where the message was put on arrival, `ticket_final` where it is at the end."""

    id: str
    kind: str
    category: str | None
    priority: str | None
    owner: str | None
    category_confidence: float | None
    priority_confidence: float | None
    owner_confidence: float | None
    ticket: str | None
    ticket_final: str | None
    join_confidence: float | None
    auto: dict[str, bool] = field(default_factory=dict)
    seconds: float = 0.0


def write(predictions: Iterable[Prediction], path: Path) -> None:
    """One JSON object a line."""
    with path.open("w", encoding="utf-8") as file:
        for each in predictions:
            file.write(json.dumps(asdict(each), ensure_ascii=False) + "\n")
