"""Weights of 8 bits beside activations of 16, rounded up or down so that their errors cancel on the calibration inputs.

Rounded to nearest, the errors of weights are independent, and in int16x8 they are nearly all of the noise. What an
error does depends on what a layer is given: on the second moments of its inputs.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kexport.bundle.signature import Array, Signature
from kexport.factory.formats._closest_integers import closest_integers, closest_integers_and_steps
from kexport.factory.formats._layer_patches import patches
from kexport.factory.formats._small_weights import Constant, of_tflite
from kexport.factory.formats._tflite_model import FlatModel
from kexport.runtimes.files import tflite

_MOST_INPUTS = 1024  # of one output of a layer; the moments are a square of these
_ROWS = 8192  # of inputs a layer, at most
_CALLS = 128  # of the model, at most
_DRAWN = 0.3  # the weight of drawn inputs beside recorded ones: a promise holds for them too
_BIASES = {"INT32": "<i4", "INT64": "<i8"}
_OUTPUT_AXIS = {"FULLY_CONNECTED": 0, "CONV_2D": 0, "DEPTHWISE_CONV_2D": 3}


@dataclass(frozen=True)
class _Layer:
    """An operator of the main graph whose weights no other one takes.

    Attributes:
        kind: the type of the operator.
        options: its settings.
        source: the index of the tensor that it is given.
        weights: that of its weights.
        bias: that of its bias; None where it has none. Its steps are those of the weights times those of the source.
        own_steps: whether each output has a step of its own, which no other operator knows.
    """

    kind: str
    options: Any
    source: int
    weights: int
    bias: int | None
    own_steps: bool


def round_adaptively(
    path: Path,
    wide: Iterable[Constant],
    recorded: Iterator[list[Array]],
    drawn: Iterator[list[Array]],
    signature: Signature,
) -> None:
    """Rewrite a file of int16x8, whose integers stay within one step of the weights; not one that cannot be run.

    Args:
        path: of the file.
        wide: the weights of the float32 file.
        recorded: the calibration inputs of each call that occurred.
        drawn: those of others, which count little beside them.
        signature: of the model.
    """
    from tensorflow.lite.tools import flatbuffer_utils

    model = flatbuffer_utils.read_model(str(path))
    layers = list(_layers(model))
    if not layers:
        return
    small = {each.name: each for each in of_tflite(model)}
    known = list(wide)
    try:
        moments = _blended(*(_moments(path, layers, inputs, signature) for inputs in (recorded, drawn)))
    except (RuntimeError, ValueError):
        return  # the checks of the artifact tell what is wrong with it
    graph = model.subgraphs[0]
    for layer in layers:
        tensor = graph.tensors[layer.weights]
        own = small.get((tensor.name or b"").decode())
        real = None if own is None else _counterpart(own, known)
        if own is None or real is None or layer not in moments:
            continue
        axis = _OUTPUT_AXIS[layer.kind]
        steps = np.moveaxis(np.broadcast_to(own.step, own.real.shape), axis, 0).reshape(own.real.shape[axis], -1)
        rows = np.moveaxis(real, axis, 0).reshape(steps.shape) / steps
        if layer.own_steps:
            integers, factors = closest_integers_and_steps(rows, moments[layer])
            _lengthen(layer, model, factors)
        else:
            integers = closest_integers(rows, moments[layer])
        shape = np.moveaxis(own.real, axis, 0).shape
        stored = np.moveaxis(integers.reshape(shape), 0, axis).astype(np.int8)
        buffer: Any = model.buffers[tensor.buffer]
        buffer.data = np.frombuffer(stored.tobytes(), np.uint8)
    flatbuffer_utils.write_model(model, str(path))


def _lengthen(layer: _Layer, model: FlatModel, factors: Array) -> None:
    """Multiply the steps of the weights, and of the bias, whose integers become so much smaller."""
    graph = model.subgraphs[0]
    tensors = [graph.tensors[index] for index in (layer.weights, layer.bias) if index is not None]
    for tensor in tensors:
        own: Any = tensor.quantization
        own.scale = (np.asarray(own.scale, np.float64) * factors).astype(np.float32)
    if layer.bias is not None:
        buffer: Any = model.buffers[tensors[-1].buffer]
        dtype = _BIASES[tflite.numbered(tflite.schema().TensorType)[tensors[-1].type]]
        integers = np.frombuffer(bytes(bytearray(buffer.data)), dtype)
        buffer.data = np.frombuffer(np.rint(integers / factors).astype(dtype).tobytes(), np.uint8)


def _layers(model: FlatModel) -> Iterator[_Layer]:
    types = tflite.numbered(tflite.schema().TensorType)
    graph = model.subgraphs[0]
    taken = Counter(int(index) for operator in graph.operators or () for index in operator.inputs)
    holders = Counter(tensor.buffer for tensor in graph.tensors)

    def alone(index: int) -> bool:
        return holders[graph.tensors[index].buffer] == taken[index] == 1

    for kind, operator in tflite.operators_of(model, graph):
        if kind not in _OUTPUT_AXIS:
            continue
        source, weights, *rest = (int(index) for index in operator.inputs)
        bias = rest[0] if rest and rest[0] >= 0 else None
        tensor = graph.tensors[weights]
        buffer: Any = model.buffers[tensor.buffer]
        constant = buffer.data is not None and len(buffer.data) > 0
        small = types[graph.tensors[source].type] == "INT16" and types[tensor.type] == "INT8"
        if constant and small and alone(weights) and _inputs(kind, tensor.shape):
            own: Any = tensor.quantization
            own_steps = len(own.scale) == int(tensor.shape[_OUTPUT_AXIS[kind]]) and (bias is None or alone(bias))
            yield _Layer(kind, operator.builtinOptions, source, weights, bias, own_steps)


def _inputs(kind: str, shape: Sequence[int]) -> bool:
    """Whether an output of a layer has few enough inputs."""
    size = math.prod(int(each) for each in shape) // int(shape[_OUTPUT_AXIS[kind]])
    return 1 < size <= _MOST_INPUTS


def _counterpart(own: Constant, wide: Sequence[Constant]) -> Array | None:
    """The real numbers that were rounded: of the same shape, one step away at most, of the same name if any is."""
    fitting = [
        each for each in wide if each.real.shape == own.real.shape and (np.abs(each.real - own.real) <= own.step).all()
    ]
    return min(fitting, key=lambda each: each.name != own.name).real if fitting else None


def _blended(recorded: Mapping[_Layer, Array], drawn: Mapping[_Layer, Array]) -> Mapping[_Layer, Array]:
    """The moments of recorded inputs and a share of those of drawn ones, each relative to its mean."""
    blended = dict(drawn)
    for layer, moments in recorded.items():
        sizes = [float(np.trace(each, axis1=1, axis2=2).mean()) for each in (moments, drawn.get(layer, moments))]
        if min(sizes) > 0:
            moments = moments / sizes[0] + _DRAWN * drawn.get(layer, moments) / sizes[1]
        blended[layer] = moments
    return blended


def _moments(
    path: Path, layers: Sequence[_Layer], inputs: Iterator[list[Array]], signature: Signature
) -> Mapping[_Layer, Array]:
    """The second moments of what each layer is given, of all channels or of each: exact sums of integers.

    Sums of products of 16 bits stay whole numbers below 2^53, so that their order, and the number of cores, makes no
    difference to a file.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        str(path), experimental_op_resolver_type=OpResolverType.BUILTIN_REF, experimental_preserve_all_tensors=True
    )
    details = {each["name"]: each for each in interpreter.get_input_details()}
    found: dict[_Layer, Array] = {}
    left = dict.fromkeys(layers, _ROWS)
    for arrays in itertools.islice(inputs, _CALLS):
        for spec, array in zip(signature.inputs, arrays, strict=True):
            interpreter.resize_tensor_input(details[spec.name]["index"], array.shape)
        interpreter.allocate_tensors()
        for spec, array in zip(signature.inputs, arrays, strict=True):
            interpreter.set_tensor(details[spec.name]["index"], _given(array, details[spec.name]))
        interpreter.invoke()
        for layer in layers:
            if left[layer] > 0:
                rows = _rows(layer, interpreter)[:, : left[layer]]
                left[layer] -= rows.shape[1]
                found[layer] = found.get(layer, 0) + rows.swapaxes(1, 2) @ rows
        if not any(size > 0 for size in left.values()):
            break
    return found


def _given(array: Array, details: Mapping[str, Any]) -> Array:
    """An input as the file takes it: floats as they are, or in its integers."""
    scale, zero_point = details["quantization"]
    dtype = np.dtype(details["dtype"])
    if dtype.kind != "i" or not scale or array.dtype.kind != "f":
        return array.astype(dtype)
    ends = np.iinfo(dtype)
    return np.clip(np.rint(array / scale) + zero_point, ends.min, ends.max).astype(dtype)


def _rows(layer: _Layer, interpreter: Any) -> Array:
    """The inputs of single outputs, a row each, of all channels together or of each channel apart."""
    x = np.asarray(interpreter.get_tensor(layer.source), np.float64)
    shape = [int(size) for size in interpreter.get_tensor(layer.weights).shape]
    if layer.kind == "FULLY_CONNECTED":
        return x.reshape(1, -1, shape[1])
    parts = patches(x, (shape[1], shape[2]), layer.options)
    if layer.kind == "CONV_2D":
        return parts.reshape(1, -1, math.prod(shape[1:]))
    apart = np.moveaxis(parts.reshape(-1, shape[1] * shape[2], x.shape[-1]), -1, 0)
    return np.repeat(apart, shape[3] // x.shape[-1], axis=0)
