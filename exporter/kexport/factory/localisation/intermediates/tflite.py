"""TFLite: the flatbuffer is written again with more outputs of its main graph, which works with every kernel set.

The interpreter can preserve all tensors, but not where a delegate such as XNNPACK has taken over the operators.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kexport.bundle.signature import Array
from kexport.factory.localisation.intermediates._exposure import ArtifactTensor, Exposure
from kexport.runtimes.files import tflite
from kexport.runtimes.files.protocols import TfliteGraph, TfliteOperator

_IDENTIFIER = b"TFL3"
_NO_NUMBERS = ("STRING", "RESOURCE", "VARIANT")


def _tensors(path: Path) -> Iterator[ArtifactTensor]:
    schema, model = tflite.schema(), tflite.parse(path.read_bytes())
    graph = model.subgraphs[0]
    operators = tflite.numbered(schema.BuiltinOperator)
    numeric = {value for value, name in tflite.numbered(schema.TensorType).items() if name not in _NO_NUMBERS}
    computed = {int(index) for operator in graph.operators for index in operator.outputs}
    variable = computed | set(map(int, graph.inputs))
    outputs = {int(index): (graph.tensors[index].name or b"").decode() for index in graph.outputs}
    for operator in graph.operators:
        inputs = [int(index) for index in operator.inputs if index >= 0]
        for index in map(int, operator.outputs):
            if index >= 0 and graph.tensors[index].type in numeric:
                yield ArtifactTensor(
                    key=_key(index),
                    names=_names(graph, index),
                    operator=operators[tflite.number(model.operatorCodes[operator.opcodeIndex])],
                    inputs=tuple(_key(each) for each in inputs if each in variable),
                    constants=tuple(name for each in inputs if each not in variable for name in _names(graph, each)),
                    output=outputs.get(index, ""),
                )


def _key(index: int) -> str:
    return f"tensor_{index}"


def _index(key: str) -> int:
    return int(key.rpartition("_")[2])


def _names(graph: TfliteGraph, index: int) -> tuple[str, ...]:
    return tuple(name for name in (graph.tensors[index].name or b"").decode().split(";") if name)


def _expose(path: Path, keys: Sequence[str], alone: bool, target: Path) -> None:
    flatbuffers: Any = importlib.import_module("flatbuffers")
    model = tflite.parse(path.read_bytes())
    graph = model.subgraphs[0]
    outputs = [] if alone else list(map(int, graph.outputs))
    if alone:
        graph.operators = _needed(graph, set(map(_index, keys)))
    for index in map(_index, keys):
        if index not in outputs:
            graph.tensors[index].name = _key(index).encode()
            outputs.append(index)
    graph.outputs = outputs
    model.signatureDefs = []  # they list the original outputs
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), _IDENTIFIER)
    target.write_bytes(builder.Output())


def _needed(graph: TfliteGraph, wanted: set[int]) -> list[TfliteOperator]:
    """The operators that compute the tensors, in order, and those that have side effects and no result."""
    needed = []
    for operator in reversed(graph.operators):
        computed = set(map(int, operator.outputs))
        if computed & wanted or not computed:
            needed.append(operator)
            wanted |= set(map(int, operator.inputs))
    return needed[::-1]


def _real(path: Path) -> Callable[[str, Array], Array]:
    """Integers as the real numbers they stand for, where a tensor has one scale."""
    graph = tflite.parse(path.read_bytes()).subgraphs[0]

    def real(key: str, value: Array) -> Array:
        quantization = graph.tensors[_index(key)].quantization
        scale = None if quantization is None else quantization.scale
        if value.dtype.kind not in "iu" or quantization is None or scale is None or len(scale) != 1:
            return value
        zero_points = quantization.zeroPoint
        zero = 0 if zero_points is None or not len(zero_points) else int(zero_points[0])
        return ((value.astype(np.float64) - zero) * float(scale[0])).astype(np.float32)

    return real


EXPOSURE = Exposure(format="tflite", tensors=_tensors, expose=_expose, real=_real)
