"""TFLite: the flatbuffer is written anew with more outputs of its main graph, which works with every kernel set.

The interpreter can keep all tensors, but not where a delegate such as XNNPACK has taken the operators.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kexport.bundle.signature import Array
from kexport.factory.localisation.exposing._exposure import Exposure, Tensor
from kexport.runtimes.files import tflite

_IDENTIFIER = b"TFL3"
_NO_NUMBERS = ("STRING", "RESOURCE", "VARIANT")


def _tensors(path: Path) -> Iterator[Tensor]:
    schema, model = _read(path)
    graph = model.subgraphs[0]
    names = {value: name for name, value in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
    numbers = {value for name, value in vars(schema.TensorType).items() if name not in _NO_NUMBERS}
    made = {int(index) for operator in graph.operators for index in operator.outputs}
    entry = set(map(int, graph.inputs))
    outputs = {int(index): graph.tensors[index].name.decode() for index in graph.outputs}
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        taken = [int(index) for index in operator.inputs if index >= 0]
        for index in map(int, operator.outputs):
            if index >= 0 and graph.tensors[index].type in numbers:
                yield Tensor(
                    key=_key(index),
                    names=_names(graph, index),
                    operator=names[max(code.builtinCode, code.deprecatedBuiltinCode)],
                    inputs=tuple(_key(each) for each in taken if each in made or each in entry),
                    constants=tuple(name for each in taken if each not in made | entry for name in _names(graph, each)),
                    output=outputs.get(index, ""),
                )


def _key(index: int) -> str:
    return f"tensor_{index}"


def _index(key: str) -> int:
    return int(key.rpartition("_")[2])


def _names(graph: Any, index: int) -> tuple[str, ...]:
    return tuple(name for name in (graph.tensors[index].name or b"").decode().split(";") if name)


def _expose(path: Path, keys: Sequence[str], alone: bool, target: Path) -> None:
    flatbuffers: Any = importlib.import_module("flatbuffers")
    _, model = _read(path)
    graph = model.subgraphs[0]
    own = [] if alone else list(map(int, graph.outputs))
    if alone:
        graph.operators = _needed(graph, set(map(_index, keys)))
    for index in map(_index, keys):
        if index not in own:
            graph.tensors[index].name = _key(index).encode()
            own.append(index)
    graph.outputs = own
    model.signatureDefs = []  # it says what the outputs were
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), _IDENTIFIER)
    target.write_bytes(builder.Output())


def _needed(graph: Any, wanted: set[int]) -> list[Any]:
    """The operators that the tensors are made by, in order, and those that have effects and no result."""
    kept = []
    for operator in reversed(graph.operators):
        made = set(map(int, operator.outputs))
        if made & wanted or not made:
            kept.append(operator)
            wanted |= set(map(int, operator.inputs))
    return kept[::-1]


def _real(path: Path) -> Callable[[str, Array], Array]:
    """Whole numbers as what they stand for, where a tensor has one scale."""
    graph = _read(path)[1].subgraphs[0]

    def real(key: str, value: Array) -> Array:
        known = graph.tensors[_index(key)].quantization
        if value.dtype.kind not in "iu" or known is None or known.scale is None or len(known.scale) != 1:
            return value
        zero = 0 if known.zeroPoint is None or not len(known.zeroPoint) else int(known.zeroPoint[0])
        return ((value.astype(np.float64) - zero) * float(known.scale[0])).astype(np.float32)

    return real


def _read(path: Path) -> tuple[Any, Any]:
    schema = tflite.schema()
    return schema, schema.ModelT.InitFromPackedBuf(bytearray(path.read_bytes()), 0)


EXPOSURE = Exposure(format="tflite", tensors=_tensors, expose=_expose, real=_real)
