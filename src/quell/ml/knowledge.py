"""Day-0 knowledge: what is usually meant, how far it reaches and how much it presses, from written examples."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from quell.ml.grams import BUCKETS, Grams, Rarity, Shelf
from quell.ml.ridge import softmax, solve
from quell.ml.text import readable

FORMAT = 2
PENALTY = 0.3
INTENT_HEAT, LEVEL_HEAT = 10.0, 4.0
WORDS_SHARE, CHARS_SHARE, VECTOR_SHARE = 0.2, 0.4, 0.8
IMPACTS = ("one", "few", "site", "all")
URGENCIES = ("low", "medium", "high")
SORTS = ("incident", "request", "question", "noise")
GRAMS_KEPT = {"words": 3000, "chars": 9000}
FILES = ("intents_people.json", "intents_machines.json", "people.jsonl", "machines.jsonl")
MORE = Path(__file__).parent / "training" / "kinds.jsonl"
ARTEFACT = Path(__file__).parent / "artefact"

Floats = NDArray[np.float32]


class Embeds(Protocol):
    """Whatever turns texts into unit vectors."""

    def embed(self, texts: Sequence[str]) -> Floats:
        """Vectors, one row a text."""


@dataclass(frozen=True)
class Meaning:
    """What the day-0 knowledge reads in one text: chances over intents, impacts, urgencies and SORTS."""

    intents: Floats
    impact: Floats
    urgency: Floats
    sort: Floats


@dataclass(frozen=True)
class Knowledge:
    """A linear reader over vectors and known grams; `centroids` are the mean vectors of each intent's examples."""

    version: str
    intents: tuple[dict[str, Any], ...]
    rarity: Rarity
    vector_weights: Floats
    word_rows: NDArray[np.int32]
    char_rows: NDArray[np.int32]
    gram_weights: Floats
    blind_weights: Floats
    centroids: Floats

    def read(self, grams: Grams, vector: Floats | None) -> Meaning:
        """The meaning of a text; without a vector, by words alone."""
        scores = self._by_grams(grams, self.blind_weights if vector is None else self.gram_weights)
        if vector is not None:
            scores = scores + vector @ self.vector_weights
        cuts = np.cumsum([len(self.intents), len(IMPACTS), len(URGENCIES)])
        intents, impact, urgency, sort = np.split(scores, cuts)
        return Meaning(
            softmax(intents, INTENT_HEAT).astype(np.float32),
            *(softmax(part, LEVEL_HEAT).astype(np.float32) for part in (impact, urgency, sort)),
        )

    def _by_grams(self, grams: Grams, weights: Floats) -> Floats:
        total = np.zeros(weights.shape[1], np.float32)
        for part, rows in ((grams.words, self.word_rows), (grams.chars, self.char_rows)):
            at = rows[part.buckets]
            known = at >= 0
            total += part.values[known] @ weights[at[known]]
        return total


def load(folder: Path = ARTEFACT) -> Knowledge:
    """The shipped knowledge."""
    card = json.loads((folder / "knowledge.json").read_text(encoding="utf-8"))
    with np.load(folder / "knowledge.npz", allow_pickle=False) as packed:
        arrays = {name: packed[name] for name in packed.files}
    rows = {}
    offset = 0
    for name in ("words", "chars"):
        table = np.full(BUCKETS, -1, np.int32)
        table[arrays[f"{name}_kept"]] = np.arange(len(arrays[f"{name}_kept"])) + offset
        offset += len(arrays[f"{name}_kept"])
        rows[name] = table
    return Knowledge(
        version=card["version"],
        intents=tuple(card["intents"]),
        rarity=Rarity.from_arrays({k.removeprefix("rarity_"): v for k, v in arrays.items() if k.startswith("rarity_")}),
        vector_weights=arrays["vector_weights"].astype(np.float32),
        word_rows=rows["words"],
        char_rows=rows["chars"],
        gram_weights=_unpacked(arrays, "gram"),
        blind_weights=_unpacked(arrays, "blind"),
        centroids=arrays["centroids"].astype(np.float32),
    )


def build(data_dir: Path, out_dir: Path, embedder: Embeds) -> None:
    """Fit the reader on `data_dir` (the four intent files) and write knowledge.npz and knowledge.json to `out_dir`."""
    intents = [row for name in FILES[:2] for row in json.loads((data_dir / name).read_text(encoding="utf-8"))]
    examples = read_examples(data_dir)
    described = [readable(intent["name"], intent["description"]) for intent in intents]
    texts = [readable(row.get("subject") or row.get("title"), row["text"]) for row in examples] + described
    rarity = Rarity.empty()
    for text in texts:
        rarity.read(text)
    grams = [rarity.weigh(text) for text in texts]
    vectors = embedder.embed(texts)
    targets = _targets(intents, examples)
    kept = {name: _commonest(grams, name, count) for name, count in GRAMS_KEPT.items()}
    dense = np.hstack(
        [
            np.sqrt(share) * _dense(grams, name, kept[name])
            for name, share in (("words", WORDS_SHARE), ("chars", CHARS_SHARE))
        ]
    )
    scale = np.concatenate(
        [np.full(len(kept["words"]), WORDS_SHARE**0.5), np.full(len(kept["chars"]), CHARS_SHARE**0.5)]
    )
    gram_kernel = dense @ dense.T
    both = solve(gram_kernel + VECTOR_SHARE * (vectors @ vectors.T), targets, PENALTY)
    blind = solve(gram_kernel, targets, PENALTY)
    owner = np.array([str(row.get("intent")) for row in examples])
    centroids = np.stack([vectors[: len(examples)][owner == intent["key"]].mean(axis=0) for intent in intents])
    arrays: dict[str, NDArray[np.generic]] = {
        "vector_weights": (VECTOR_SHARE * vectors.T @ both).astype(np.float16),
        "centroids": (centroids / np.linalg.norm(centroids, axis=1, keepdims=True)).astype(np.float16),
        **{f"{name}_kept": kept[name] for name in kept},
        **_packed((dense * scale).T @ both, "gram"),
        **_packed((dense * scale).T @ blind, "blind"),
        **{f"rarity_{name}": value for name, value in rarity.arrays().items()},
    }
    out_dir.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(out_dir / "knowledge.npz", **arrays)  # type: ignore[arg-type]
    _write_card(out_dir, data_dir, intents, examples)


def read_examples(data_dir: Path) -> list[dict[str, Any]]:
    """The written examples of people and machines in file order, then noise and questions that ship with the code."""
    paths = [*(data_dir / name for name in FILES[2:]), MORE]
    return [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines() if line]


def _targets(intents: list[dict[str, Any]], examples: list[dict[str, Any]]) -> NDArray[np.float64]:
    """Rows of intent, impact, urgency and sort; an example teaches what it says and is even on the rest."""
    keys = [intent["key"] for intent in intents]
    sort_of = {intent["key"]: intent["kind"] for intent in intents}
    described = [{"intent": key} for key in keys]
    parts = []
    for row in [*examples, *described]:
        key = row.get("intent")
        sort = row.get("kind") or sort_of.get(str(key))
        parts.append(
            [
                *_one(keys, key, 0.0),
                *_one(IMPACTS, row.get("impact"), 1 / len(IMPACTS)),
                *_one(URGENCIES, row.get("urgency"), 1 / len(URGENCIES)),
                *_one(SORTS, sort if sort in SORTS else None, 1 / len(SORTS)),
            ]
        )
    return np.array(parts)


def _one(keys: Sequence[str], value: str | None, otherwise: float) -> list[float]:
    return [float(key == value) if value is not None else otherwise for key in keys]


def _commonest(grams: list[Grams], name: str, count: int) -> NDArray[np.int32]:
    seen = np.zeros(BUCKETS, np.int64)
    for each in grams:
        seen[getattr(each, name).buckets] += 1
    # A stable sort keeps the choice the same on every machine.
    return np.sort(np.argsort(-seen, kind="stable")[:count]).astype(np.int32)


def _dense(grams: list[Grams], name: str, kept: NDArray[np.int32]) -> NDArray[np.float64]:
    table = np.full(BUCKETS, -1, np.int64)
    table[kept] = np.arange(len(kept))
    rows = np.zeros((len(grams), len(kept)))
    for index, each in enumerate(grams):
        part = getattr(each, name)
        at = table[part.buckets]
        rows[index, at[at >= 0]] = part.values[at >= 0]
    return rows


def _packed(weights: NDArray[np.float64], name: str) -> dict[str, NDArray[np.generic]]:
    """Weights as whole numbers of 8 bits with one scale a column."""
    scale = np.abs(weights).max(axis=0) / 127
    return {f"{name}_q": np.round(weights / scale).astype(np.int8), f"{name}_scale": scale.astype(np.float32)}


def _unpacked(arrays: dict[str, NDArray[Any]], name: str) -> Floats:
    result: Floats = arrays[f"{name}_q"].astype(np.float32) * arrays[f"{name}_scale"]
    return result


def _write_card(out_dir: Path, data_dir: Path, intents: list[dict[str, Any]], examples: list[dict[str, Any]]) -> None:
    digest = sha256(b"".join(path.read_bytes() for path in (*(data_dir / name for name in FILES), MORE))).hexdigest()
    card = {
        "version": f"knowledge-{FORMAT}-{digest[:8]}",
        "source": "examples written for this project: people and machines, eight languages",
        "sha256_of_inputs": digest,
        "examples": len(examples),
        "penalty": PENALTY,
        "intents": intents,
    }
    (out_dir / "knowledge.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


__all__ = ["ARTEFACT", "IMPACTS", "URGENCIES", "Embeds", "Knowledge", "Meaning", "Shelf", "build", "load"]
