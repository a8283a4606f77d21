"""Biases of integers that several operators share: each gets its own, in the scale that its kernel takes it for.

A kernel adds a bias to its sums as it is: integers of the scale of the input times that of the weights. Where a layer
is called twice, on inputs of two ranges, TensorFlow's quantiser to int16x8 makes one bias, in the scale of the first.
Source: <https://ai.google.dev/edge/litert/models/quantization_spec>, which gives the scale of a bias; seen with
TensorFlow 2.21.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np

from kexport.bundle.signature import Array
from kexport.factory.formats._tflite_model import FlatGraph, FlatModel, FlatTensor
from kexport.runtimes.files import tflite

#: By operator, the places of input, weights and bias among its operands.
_PLACES = {
    "FULLY_CONNECTED": (0, 1, 2), "CONV_2D": (0, 1, 2), "DEPTHWISE_CONV_2D": (0, 1, 2), "CONV_3D": (0, 1, 2),
    "TRANSPOSE_CONV": (2, 1, 3),
}  # fmt: skip
_DTYPES: dict[str, np.dtype[Any]] = {"INT32": np.dtype("<i4"), "INT64": np.dtype("<i8")}
_ALIKE = 1e-4  # relative: scales that differ by rounding are the same


def give_each_its_bias(model: FlatModel) -> None:
    """Give each operator whose bias has the scale of another one a bias of its own."""
    for graph in model.subgraphs:
        for operator, place, right in _in_other_scales(model, graph):
            inputs = [int(index) for index in operator.inputs]
            inputs[place] = _rescaled(model, graph, inputs[place], right)
            operator.inputs = inputs


def _in_other_scales(model: FlatModel, graph: FlatGraph) -> Iterator[tuple[Any, int, Array]]:
    """The operators whose bias has the wrong scale, the place of it among their operands, and the right scale."""
    schema = tflite.schema()
    names, types = tflite.numbered(schema.BuiltinOperator), tflite.numbered(schema.TensorType)
    for operator in graph.operators or ():
        code: Any = model.operatorCodes[operator.opcodeIndex]
        places = _PLACES.get(names.get(tflite.number(code), ""))
        if places is None or max(places) >= len(operator.inputs) or operator.inputs[places[2]] < 0:
            continue
        source, weights, bias = (graph.tensors[int(operator.inputs[place])] for place in places)
        if types[bias.type] not in _DTYPES:
            continue
        right = _scales(source) * _scales(weights)
        if right.size and not np.allclose(_scales(bias), right, rtol=_ALIKE, atol=0):
            yield operator, places[2], right


def _scales(tensor: FlatTensor) -> Array:
    """The scales of a tensor, for the whole or for each channel; none where it stands for no real numbers."""
    scale = None if tensor.quantization is None else tensor.quantization.scale
    return np.zeros(0) if scale is None else np.asarray(scale, np.float64)


def _rescaled(model: FlatModel, graph: FlatGraph, index: int, scales: Array) -> int:
    """The index of a copy of a constant in other scales."""
    original = graph.tensors[index]
    dtype = _DTYPES[tflite.numbered(tflite.schema().TensorType)[original.type]]
    buffer: Any = model.buffers[original.buffer]
    real = np.frombuffer(bytes(bytearray(buffer.data)), dtype) * _scales(original)
    ends = np.iinfo(dtype.name)
    integers = np.clip(np.rint(real / scales), ends.min, ends.max).astype(dtype)
    own_buffer, own = copy.copy(buffer), copy.copy(original)
    own_buffer.data = np.frombuffer(integers.tobytes(), np.uint8)
    own.quantization = copy.copy(original.quantization)
    own.quantization.scale, own.quantization.zeroPoint = scales.astype(np.float32), np.zeros(scales.size, np.int64)
    own.buffer = len(model.buffers)
    model.buffers = [*model.buffers, own_buffer]
    graph.tensors = [*graph.tensors, own]
    return len(graph.tensors) - 1
