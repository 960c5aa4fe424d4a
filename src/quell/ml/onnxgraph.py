"""The MiniLM sentence encoder as an ONNX graph, built from the tensors of its safetensors file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

LAYERS = 6
HEADS = 12
WIDTH = 384
NORM_EPSILON = 1e-12
OPSET = 20
IR_VERSION = 10
DTYPES = {"F32": np.float32, "F16": np.float16, "I64": np.int64}

Array = NDArray[np.float32]


def read_tensors(path: Path) -> dict[str, Array]:
    """Every tensor of a safetensors file by name, as float32; the file is read, never executed."""
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length])
    tensors: dict[str, Array] = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        start, end = entry["data_offsets"]
        flat = np.frombuffer(raw[8 + length + start : 8 + length + end], dtype=DTYPES[entry["dtype"]])
        tensors[name.removeprefix("bert.")] = flat.reshape(entry["shape"]).astype(np.float32)
    return tensors


def build_graph(tensors: Mapping[str, Array]) -> onnx.ModelProto:
    """Inputs `ids` and `mask` (batch, length; int64); output `vector` (batch, 384): mean-pooled unit vectors."""
    sheet = _Sheet()
    mask = sheet.add("Cast", ["mask"], to=TensorProto.FLOAT)
    bias = sheet.add("Mul", [sheet.add("Sub", [mask, sheet.put(np.float32(1))]), sheet.put(np.float32(10_000))])
    bias = sheet.add("Unsqueeze", [bias, sheet.put(np.array([1, 2], np.int64))])
    hidden = _embed(sheet, tensors)
    for layer in range(LAYERS):
        hidden = _layer(sheet, tensors, f"encoder.layer.{layer}.", hidden, bias)
    _pool(sheet, hidden, mask)
    shape = ["batch", "length"]
    graph = helper.make_graph(
        sheet.nodes,
        "minilm",
        [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name in ("ids", "mask")],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["batch", WIDTH])],
        sheet.constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


class _Sheet:
    """Nodes and constants that were written so far; every result has a name of its own."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def put(self, value: NDArray[np.generic] | np.generic) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def add(self, kind: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        name = output or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name


def _embed(sheet: _Sheet, tensors: Mapping[str, Array]) -> str:
    words = sheet.add("Gather", [sheet.put(tensors["embeddings.word_embeddings.weight"]), "ids"])
    length = sheet.add("Slice", [sheet.add("Shape", ["ids"]), *(sheet.put(np.array([n], np.int64)) for n in (1, 2))])
    zero, one = sheet.put(np.int64(0)), sheet.put(np.int64(1))
    steps = sheet.add("Range", [zero, sheet.add("Squeeze", [length]), one])
    places = sheet.add("Gather", [sheet.put(tensors["embeddings.position_embeddings.weight"]), steps])
    kind = sheet.put(tensors["embeddings.token_type_embeddings.weight"][0])
    summed = sheet.add("Add", [sheet.add("Add", [words, places]), kind])
    return _norm(sheet, tensors, "embeddings.LayerNorm.", summed)


def _norm(sheet: _Sheet, tensors: Mapping[str, Array], prefix: str, value: str) -> str:
    scale, shift = (sheet.put(tensors[prefix + part]) for part in ("weight", "bias"))
    return sheet.add("LayerNormalization", [value, scale, shift], epsilon=NORM_EPSILON)


def _dense(sheet: _Sheet, tensors: Mapping[str, Array], prefix: str, value: str) -> str:
    weight = sheet.put(np.ascontiguousarray(tensors[prefix + "weight"].T))
    return sheet.add("Add", [sheet.add("MatMul", [value, weight]), sheet.put(tensors[prefix + "bias"])])


def _layer(sheet: _Sheet, tensors: Mapping[str, Array], prefix: str, hidden: str, bias: str) -> str:
    split = sheet.put(np.array([0, 0, HEADS, WIDTH // HEADS], np.int64))
    parts = []
    for name, order in (("query", [0, 2, 1, 3]), ("key", [0, 2, 3, 1]), ("value", [0, 2, 1, 3])):
        dense = _dense(sheet, tensors, f"{prefix}attention.self.{name}.", hidden)
        parts.append(sheet.add("Transpose", [sheet.add("Reshape", [dense, split])], perm=order))
    scores = sheet.add("MatMul", parts[:2])
    scores = sheet.add("Mul", [scores, sheet.put(np.float32((WIDTH // HEADS) ** -0.5))])
    shares = sheet.add("Softmax", [sheet.add("Add", [scores, bias])], axis=-1)
    mixed = sheet.add("Transpose", [sheet.add("MatMul", [shares, parts[2]])], perm=[0, 2, 1, 3])
    mixed = sheet.add("Reshape", [mixed, sheet.put(np.array([0, 0, WIDTH], np.int64))])
    mixed = _dense(sheet, tensors, f"{prefix}attention.output.dense.", mixed)
    hidden = _norm(sheet, tensors, f"{prefix}attention.output.LayerNorm.", sheet.add("Add", [mixed, hidden]))
    wide = sheet.add("Gelu", [_dense(sheet, tensors, f"{prefix}intermediate.dense.", hidden)])
    narrow = _dense(sheet, tensors, f"{prefix}output.dense.", wide)
    return _norm(sheet, tensors, f"{prefix}output.LayerNorm.", sheet.add("Add", [narrow, hidden]))


def _pool(sheet: _Sheet, hidden: str, mask: str) -> None:
    last, middle = (sheet.put(np.array([axis], np.int64)) for axis in (2, 1))
    kept = sheet.add("Mul", [hidden, sheet.add("Unsqueeze", [mask, last])])
    summed = sheet.add("ReduceSum", [kept, middle], keepdims=0)
    # The mean's divisor cancels when the vector is brought to unit length, so the sum is enough.
    length = sheet.add("ReduceL2", [summed, middle], keepdims=1)
    sheet.add("Div", [summed, length], output="vector")
