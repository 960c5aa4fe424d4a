"""`quell eval triage`: real labelled tickets by the data's own protocol: accuracy, calibration, automation."""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quell.core.gate import lower_bound
from quell.ml.online import OnlineText

EPOCHS = 3
BINS = 15
AFTER = 2000
TARGETS = (0.95, 0.98)

Row = dict[str, Any]
Floats = NDArray[np.float64]


def evaluate(data_dir: Path) -> dict[str, Any]:
    """Scores the online text learner on what `data_dir` holds of it_category, it_assignment_group and the stream.

    Train on `train`; the last tenth of it chooses the thresholds; tested on every other split.
    """
    suites: dict[str, tuple[str, Callable[[Row], str], Callable[[Row], str], bool]] = {
        "it_category": ("it_category.jsonl.gz", lambda r: str(r["text"]), lambda r: str(r["category"]), False),
        "it_assignment_group": ("it_assignment_group.jsonl.gz", _title_and_body, lambda r: str(r["group"]), True),
    }
    result: dict[str, Any] = {}
    for name, (file, text, label, chars) in suites.items():
        if (data_dir / file).is_file():
            result[name] = batch(_rows(data_dir / file), text, label, chars)
    if (data_dir / "stream_component_owner.jsonl.gz").is_file():
        result["stream"] = stream(_rows(data_dir / "stream_component_owner.jsonl.gz"))
    return result


def batch(rows: Sequence[Row], text: Callable[[Row], str], label: Callable[[Row], str], chars: bool) -> dict[str, Any]:
    """Fit on the train part, thresholds on its last tenth, test on the rest."""
    train = [row for row in rows if row["split"] == "train"]
    tested = [row for row in rows if row["split"] != "train"]
    cut = len(train) * 9 // 10
    model = fitted(train[:cut], text, label, chars)
    thresholds = {target: _threshold(*_judged(model, train[cut:], text, label)[:2], target) for target in TARGETS}
    model = fitted(train, text, label, chars)
    confidence, right, third, said = _judged(model, tested, text, label)
    truths = [label(row) for row in tested]
    return {
        "tested": len(tested),
        "accuracy": float(right.mean()),
        "macro_f1": _macro_f1(truths, said),
        "top_3": float(third.mean()),
        "ece": _calibration(confidence, right),
        "automated": {
            f"{target:.2f}": {
                "share": float((confidence >= limit).mean()),
                "precision": float(right[confidence >= limit].mean()) if (confidence >= limit).any() else None,
            }
            for target, limit in thresholds.items()
        },
    }


def stream(rows: Sequence[Row]) -> dict[str, Any]:
    """Predict, then learn, in order of time; each project by itself; a label never seen before counts as an error."""
    models: dict[str, OnlineText] = {}
    right: list[bool] = []
    for row in sorted(rows, key=lambda r: (r["created"], r["key"])):
        if not row["components"]:
            continue
        model = models.setdefault(row["project"], OnlineText(chars=True))
        text, label = _title_and_body(row), str(row["components"][0])
        chances = model.chances(text) if model.labels else np.zeros(0)
        right.append(bool(len(chances)) and model.labels[int(chances.argmax())] in row["components"])
        model.learn(text, label)
    eighths = np.array_split(np.array(right, np.float64), 8)
    return {
        "tickets": len(right),
        "accuracy_after_2000": float(np.mean(right[AFTER:])) if len(right) > AFTER else None,
        "per_eighth": [float(part.mean()) for part in eighths],
    }


def fitted(rows: Sequence[Row], text: Callable[[Row], str], label: Callable[[Row], str], chars: bool) -> OnlineText:
    """Three passes over the rows in a fixed order that strides over the file."""
    model = OnlineText(sorted({label(row) for row in rows}), chars)
    stride = next(n for n in (7919, 7907, 7901) if len(rows) % n)
    for epoch in range(EPOCHS):
        for index in range(len(rows)):
            row = rows[(index * stride + epoch) % len(rows)]
            model.learn(text(row), label(row))
    return model


def _judged(
    model: OnlineText, rows: Sequence[Row], text: Callable[[Row], str], label: Callable[[Row], str]
) -> tuple[Floats, NDArray[np.bool_], NDArray[np.bool_], list[str]]:
    confidence, right, third, said = [], [], [], []
    for row in rows:
        chances = model.chances(text(row))
        order = np.argsort(-chances)[:3]
        names = [model.labels[index] for index in order]
        confidence.append(float(chances[order[0]]))
        right.append(names[0] == label(row))
        third.append(label(row) in names)
        said.append(names[0])
    return np.array(confidence), np.array(right), np.array(third), said


def _threshold(confidence: Floats, right: NDArray[np.bool_], target: float) -> float:
    """The lowest confidence above which the one-sided 95 % bound of precision reaches the target; 2 when none does."""
    order = np.argsort(-confidence, kind="stable")
    hits = np.cumsum(right[order])
    best = 2.0
    for index in range(0, len(order), max(1, len(order) // 400)):
        if lower_bound(float(hits[index]), index + 1.0) >= target:
            best = float(confidence[order[index]])
    return best


def _macro_f1(truths: Sequence[str], said: Sequence[str]) -> float:
    hits = Counter(t for t, s in zip(truths, said, strict=True) if t == s)
    real, made = Counter(truths), Counter(said)
    return float(np.mean([2 * hits[c] / (real[c] + made[c]) for c in real]))


def _calibration(confidence: Floats, right: NDArray[np.bool_]) -> float:
    """Expected calibration error over fifteen bins of equal mass."""
    order = np.argsort(confidence, kind="stable")
    parts = np.array_split(order, BINS)
    return float(sum(abs(right[p].mean() - confidence[p].mean()) * len(p) for p in parts if len(p)) / len(order))


def _title_and_body(row: Row) -> str:
    return f"{row['title'] or ''}\n{row['title'] or ''}\n{row['body'] or ''}"


def _rows(path: Path) -> list[Row]:
    lines: Iterable[str] = gzip.decompress(path.read_bytes()).decode().splitlines()
    return [json.loads(line) for line in lines if line]
