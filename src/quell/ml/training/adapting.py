"""Learning the adapter by gradient descent: messages to their category's text, examples to their intent's text."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quell.ml.adapter import HEAT, Adapter
from quell.ml.knowledge import Embeds, read_examples
from quell.ml.text import readable
from quell.ml.training.scenario import Scenario

RANK, STEPS, STEP_SIZE, DECAY = 64, 150, 3e-3, 0.01
EXAMPLES_A_STEP, STRIDE = 512, 1009
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Pairs:
    """Messages (many, 384), texts (options, 384), which text is right (many,), and what each message weighs (many,)."""

    messages: Floats
    texts: Floats
    right: NDArray[np.int64]
    weight: Floats


def company_pairs(scenario: Scenario, embedder: Embeds) -> Pairs:
    """Messages with their true category's text; one of a big problem weighs less (1 / root of its messages)."""
    told = [m for m in scenario.messages if scenario.truths[m.id].category is not None]
    sizes = Counter(scenario.truths[m.id].problem for m in told)
    categories = scenario.company.categories
    keys = [category.key for category in categories]
    return Pairs(
        embedder.embed([readable(m.subject, m.text) for m in told]),
        embedder.embed([f"{c.name}. {c.description}" for c in categories]),
        np.array([keys.index(str(scenario.truths[m.id].category)) for m in told]),
        np.array([sizes[scenario.truths[m.id].problem] ** -0.5 for m in told], np.float32),
    )


def intent_pairs(data_dir: Path, intents: Sequence[Mapping[str, Any]], embedder: Embeds) -> Pairs:
    """The written examples with their intent's description."""
    keys = [str(intent["key"]) for intent in intents]
    examples = [row for row in read_examples(data_dir) if row.get("intent") in keys]
    return Pairs(
        embedder.embed([readable(row.get("subject") or row.get("title"), row["text"]) for row in examples]),
        embedder.embed([readable(intent["name"], intent["description"]) for intent in intents]),
        np.array([keys.index(row["intent"]) for row in examples]),
        np.ones(len(examples), np.float32),
    )


def fit_adapters(
    companies: Mapping[str, Pairs], examples: Pairs, groups: Sequence[Sequence[str]]
) -> dict[str, Adapter]:
    """For each company the adapter that never saw its group, and under `whole` the one that saw all."""
    found = {"whole": fit_adapter(list(companies.values()), examples)}
    for left_out in groups:
        fold = fit_adapter([pairs for name, pairs in companies.items() if name not in left_out], examples)
        found |= dict.fromkeys(left_out, fold)
    return found


def fit_adapter(companies: Sequence[Pairs], examples: Pairs) -> Adapter:
    """About ten seconds on one core; nothing is drawn by chance, so the same input gives the same adapter."""
    width = companies[0].messages.shape[1]
    everything = np.concatenate([examples.messages, *(pairs.messages for pairs in companies)])
    directions = np.linalg.svd(everything - everything.mean(axis=0), full_matrices=False)[2][:RANK].T
    weights = [
        np.ascontiguousarray(directions) if index % 2 == 0 else np.zeros((RANK, width), np.float32)
        for index in range(4)
    ]
    first, second = [np.zeros_like(w) for w in weights], [np.zeros_like(w) for w in weights]
    count = len(examples.messages)
    for step in range(1, STEPS + 1):
        # Strides of a prime walk through all examples in an order that mixes their intents.
        drawn = (np.arange(EXAMPLES_A_STEP) + step * EXAMPLES_A_STEP) * STRIDE % count
        part = Pairs(examples.messages[drawn], examples.texts, examples.right[drawn], examples.weight[drawn])
        gradients = [np.zeros_like(w) for w in weights]
        for pairs in (*companies, part):
            for total, each in zip(gradients, _gradients(pairs, weights), strict=True):
                total += each / (len(companies) + 1)
        for index in range(0, 4, 2):
            whole = weights[index] @ weights[index + 1]
            gradients[index] += 2 * DECAY * whole @ weights[index + 1].T
            gradients[index + 1] += 2 * DECAY * weights[index].T @ whole
        for index, gradient in enumerate(gradients):
            first[index] = BETA_1 * first[index] + (1 - BETA_1) * gradient
            second[index] = BETA_2 * second[index] + (1 - BETA_2) * gradient**2
            steady = np.sqrt(second[index] / (1 - BETA_2**step)) + EPSILON
            weights[index] = weights[index] - STEP_SIZE * first[index] / (1 - BETA_1**step) / steady
    return Adapter(*weights)


def _gradients(pairs: Pairs, weights: list[Floats]) -> list[Floats]:
    """Of the weighted mean cross-entropy over the texts, for the four matrices."""
    messages, message_length = _turn(pairs.messages, weights[0], weights[1])
    texts, text_length = _turn(pairs.texts, weights[2], weights[3])
    scores = HEAT * messages @ texts.T
    scores -= scores.max(axis=1, keepdims=True)
    chances = np.exp(scores)
    chances /= chances.sum(axis=1, keepdims=True)
    chances[np.arange(len(chances)), pairs.right] -= 1
    pull = chances * (HEAT * pairs.weight / pairs.weight.sum())[:, None]
    result: list[Floats] = []
    for raw, unit, length, towards, down, up in (
        (pairs.messages, messages, message_length, pull @ texts, weights[0], weights[1]),
        (pairs.texts, texts, text_length, pull.T @ messages, weights[2], weights[3]),
    ):
        moved = (towards - (towards * unit).sum(axis=1, keepdims=True) * unit) / length
        result += [raw.T @ (moved @ up.T), (raw @ down).T @ moved]
    return result


def _turn(vectors: Floats, down: Floats, up: Floats) -> tuple[Floats, Floats]:
    moved = vectors + (vectors @ down) @ up
    length = np.linalg.norm(moved, axis=1, keepdims=True)
    return moved / length, length
