"""Biases that kernels take for others than the converter means.

Of integers that several operators share: each gets its own, in the scale that its kernel takes it for.

A kernel adds a bias to its sums as it is: integers of the scale of the input times that of the weights. Where a layer
is called twice, on inputs of two ranges, TensorFlow's quantiser to int16x8 makes one bias, in the scale of the first.
Source: <https://ai.google.dev/edge/litert/models/quantization_spec>, which gives the scale of a bias; seen with
TensorFlow 2.21.

And of one number: a number that is added to what a transposed convolution gives becomes its bias, as in `hard_sigmoid`,
and its kernel wants one for each channel.
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


def give_each_channel_its_bias(model: FlatModel) -> None:
    """Repeat biases of a single number, of operators with several channels."""
    for graph in model.subgraphs:
        for operator, places in _biased(model, graph):
            weights, bias = (graph.tensors[int(operator.inputs[place])] for place in places[1:])
            channels, buffer = int(weights.shape[0]), model.buffers[bias.buffer]
            content: Any = getattr(buffer, "data", None)
            if [int(size) for size in bias.shape] not in ([], [1]) or channels == 1 or content is None:
                continue
            inputs = [int(index) for index in operator.inputs]
            own = copy.copy(bias)
            own.shape, own.shapeSignature = np.array([channels], np.int32), None
            inputs[places[2]] = _with_content(model, graph, own, bytes(bytearray(content)) * channels)
            operator.inputs = inputs


def _biased(model: FlatModel, graph: FlatGraph) -> Iterator[tuple[Any, tuple[int, int, int]]]:
    """The operators with a bias, and the places of input, weights and bias among their operands."""
    for kind, operator in tflite.operators_of(model, graph):
        places = _PLACES.get(kind)
        if places is not None and max(places) < len(operator.inputs) and operator.inputs[places[2]] >= 0:
            yield operator, places


def _with_content(model: FlatModel, graph: FlatGraph, tensor: FlatTensor, content: bytes) -> int:
    """The index of a tensor that is added with content of its own."""
    from tensorflow.lite.python import schema_py_generated as schema

    buffer: Any = schema.BufferT()
    buffer.data = np.frombuffer(content, np.uint8)
    tensor.buffer = len(model.buffers)
    model.buffers = [*model.buffers, buffer]
    graph.tensors = [*graph.tensors, tensor]
    return len(graph.tensors) - 1


def _in_other_scales(model: FlatModel, graph: FlatGraph) -> Iterator[tuple[Any, int, Array]]:
    """The operators whose bias has the wrong scale, the place of it among their operands, and the right scale."""
    types = tflite.numbered(tflite.schema().TensorType)
    for operator, places in _biased(model, graph):
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
    own = copy.copy(original)
    own.quantization = copy.copy(original.quantization)
    own.quantization.scale, own.quantization.zeroPoint = scales.astype(np.float32), np.zeros(scales.size, np.int64)
    return _with_content(model, graph, own, integers.tobytes())
