"""`quell eval duplicates`: look-alike pairs and one real outage, read by the shipped join with no company behind it."""

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from quell.core.reading import Message, OpenTicket
from quell.ml.engine import Engine, Shipped, load_shipped
from quell.ml.facts import HUMAN_CHANNELS
from quell.ml.knowledge import Embeds
from quell.ml.training.desk import Desk
from quell.ml.training.pairs import generic_company

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
UNRELATED_MAX = 200


def evaluate(data_dir: Path, embedder: Embeds | None = None, shipped: Shipped | None = None) -> dict[str, Any]:
    """`data_dir` holds pitfall_pairs.jsonl, ipack_storm.jsonl, eucalyptus_dev.jsonl.gz; what is absent is left out."""
    ready = shipped if shipped is not None else load_shipped()
    engine = Engine(ready, embedder)
    engine.fit(generic_company(ready.knowledge))
    result: dict[str, Any] = {}
    if (data_dir / "pitfall_pairs.jsonl").is_file():
        result["pitfall_pairs"] = pitfalls(_rows(data_dir / "pitfall_pairs.jsonl"), engine)
    if (data_dir / "ipack_storm.jsonl").is_file():
        others = data_dir / "eucalyptus_dev.jsonl.gz"
        unrelated = _rows(others)[:UNRELATED_MAX] if others.is_file() else []
        result["storm"] = storm(_rows(data_dir / "ipack_storm.jsonl"), unrelated, engine)
    return result


def pitfalls(rows: Sequence[Mapping[str, Any]], engine: Engine) -> dict[str, Any]:
    """Area under the curve of the join's chance, and how many of each sort were put together."""
    chances, joined = [], []
    for index, row in enumerate(rows):
        first = _message(f"a{index}", row["source_a"], row["text_a"], MONDAY)
        second = _message(f"b{index}", row["source_b"], row["text_b"], MONDAY + timedelta(minutes=row["gap_minutes"]))
        way = engine.walk(second, [OpenTicket(1, first.at, (first,))], second.at)
        chances.append(float(way.joins[0]) if way.keyed is None else 1.0)
        joined.append(way.chosen == 0)
    same = [bool(row["same"]) for row in rows]
    return {
        "pairs": len(rows),
        "auc": area(
            [c for c, s in zip(chances, same, strict=True) if s],
            [c for c, s in zip(chances, same, strict=True) if not s],
        ),
        "same_joined": _share(j for j, s in zip(joined, same, strict=True) if s),
        "look_alikes_joined": _share(j for j, s in zip(joined, same, strict=True) if not s),
    }


def storm(rows: Sequence[Mapping[str, Any]], unrelated: Sequence[Mapping[str, Any]], engine: Engine) -> dict[str, Any]:
    """How many tickets one outage opens, with its alerts among unrelated reports, and how many of those it absorbs."""
    at = [datetime.fromisoformat(row["created"]).replace(tzinfo=UTC) for row in rows]
    start, span = min(at), max(at) - min(at)
    stream = [(when, "storm", row["kind"], row["title"], "") for when, row in zip(at, rows, strict=True)]
    for index, row in enumerate(unrelated):
        stream.append((start + span * index / len(unrelated), "other", "ticket", row["title"], row["body"][:600]))
    desk, origin = Desk(), dict[str, str]()
    for index, (when, source, kind, title, body) in enumerate(sorted(stream, key=lambda each: each[:2])):
        message = _message(
            f"s{index}", "alertmanager" if kind == "alert" else "portal", f"{title}\n{body}".strip(), when
        )
        reading = engine.propose(message, desk.open_tickets(when), when)
        desk.put(message, reading.place)
        origin[message.id] = source
        for number, into, chance in reading.second_look:
            if chance >= 0.8:
                desk.merge(number, into)
    groups = [{origin[m.id] for m in t.members} for t in desk.open_tickets(max(at))]
    sizes = [
        sum(origin[m.id] == "other" for m in t.members)
        for t, g in zip(desk.open_tickets(max(at)), groups, strict=True)
        if "storm" in g
    ]
    return {
        "storm": len(rows),
        "unrelated": len(unrelated),
        "tickets_opened": sum("storm" in group for group in groups),
        "unrelated_absorbed": sum(sizes),
    }


def area(above: Sequence[float], below: Sequence[float]) -> float | None:
    """The chance that one of `above` is larger than one of `below`; ties count half."""
    if not above or not below:
        return None
    wins = sum((a > b) + 0.5 * (a == b) for a in above for b in below)
    return wins / (len(above) * len(below))


def _message(key: str, source: str, text: str, at: datetime) -> Message:
    channel = (
        source
        if source in HUMAN_CHANNELS
        else {"alert": "alertmanager", "phone": "slack", "chat": "slack", "mail": "email"}.get(source, source)
    )
    person = channel in HUMAN_CHANNELS
    return Message(key, at, channel, text, sender=f"{key}@example.org" if person else None)


def _share(values: Iterable[bool]) -> float | None:
    kept = list(values)
    return sum(kept) / len(kept) if kept else None


def _rows(path: Path) -> list[dict[str, Any]]:
    text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines() if line]
