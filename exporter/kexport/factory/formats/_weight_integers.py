"""Weights of 8 bits beside activations of 16, rounded up or down so that their errors cancel on the calibration inputs.

Rounded to nearest, the errors of weights are independent, and in int16x8 they are nearly all of the noise. What an
error does depends on what a layer is given: its weights `w` and their integers `q` in steps of `s` give outputs whose
squared error is `(w - s q) G (w - s q)`, with `G` the second moments of the inputs of the layer. Starting from
nearest, one weight of a channel, or two, go to the other side as long as that makes it less.

Sources: Nagel et al., "Up or Down? Adaptive Rounding for Post-Training Quantization" (ICML 2020), for the aim; Frantar
et al., "GPTQ" (ICLR 2023), for the share of the mean moment that is added to the diagonal, so that inputs which the
calibration lacks count too.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kexport.bundle.signature import Array, Signature
from kexport.factory.formats._layer_patches import patches
from kexport.factory.formats._small_weights import Constant, of_tflite
from kexport.factory.formats._tflite_model import FlatModel
from kexport.runtimes.files import tflite

_DAMPING = 0.01
_MOST_INPUTS = 1024  # of one output of a layer; the moments are a square of these
_PAIRS = 64  # inputs up to which two weights move together too
_ROWS = 8192  # of inputs a layer, at most
_CALLS = 128  # of the model, at most
_OUTPUT_AXIS = {"FULLY_CONNECTED": 0, "CONV_2D": 0, "DEPTHWISE_CONV_2D": 3}


@dataclass(frozen=True)
class _Layer:
    """An operator of the main graph whose weights no other one takes.

    Attributes:
        kind: the type of the operator.
        options: its settings.
        source: the index of the tensor that it is given.
        weights: that of its weights.
    """

    kind: str
    options: Any
    source: int
    weights: int


def round_adaptively(path: Path, wide: Iterable[Constant], inputs: Iterator[list[Array]], signature: Signature) -> None:
    """Rewrite a file of int16x8, whose integers stay within one step of the weights; not one that cannot be run.

    Args:
        path: of the file.
        wide: the weights of the float32 file.
        inputs: the calibration inputs of each call.
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
        moments = _moments(path, layers, inputs, signature)
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
        rows = np.moveaxis(real, axis, 0).reshape(steps.shape)
        integers = _rounded(rows / steps, moments[layer])
        shape = np.moveaxis(own.real, axis, 0).shape
        stored = np.moveaxis(integers.reshape(shape), 0, axis).astype(np.int8)
        buffer: Any = model.buffers[tensor.buffer]
        buffer.data = np.frombuffer(stored.tobytes(), np.uint8)
    flatbuffer_utils.write_model(model, str(path))


def _layers(model: FlatModel) -> Iterator[_Layer]:
    types = tflite.numbered(tflite.schema().TensorType)
    graph = model.subgraphs[0]
    taken = [int(index) for operator in graph.operators or () for index in operator.inputs]
    for kind, operator in tflite.operators_of(model, graph):
        if kind not in _OUTPUT_AXIS:
            continue
        source, weights = int(operator.inputs[0]), int(operator.inputs[1])
        tensor = graph.tensors[weights]
        buffer: Any = model.buffers[tensor.buffer]
        constant = buffer.data is not None and len(buffer.data) > 0
        shared = sum(other.buffer == tensor.buffer for other in graph.tensors) > 1 or taken.count(weights) > 1
        sixteen = types[graph.tensors[source].type] == "INT16"
        if constant and sixteen and types[tensor.type] == "INT8" and not shared and _inputs(kind, tensor.shape):
            yield _Layer(kind, operator.builtinOptions, source, weights)


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


def _rounded(rows: Array, moments: Array) -> Array:
    """The integers of each output.

    Args:
        rows: the weights of each output in their steps, (outputs, inputs).
        moments: of the inputs, (1 or outputs, inputs, inputs).
    """
    size = rows.shape[1]
    damped = moments + _DAMPING * np.trace(moments, axis1=1, axis2=2)[:, None, None] / size * np.eye(size)
    low = np.floor(np.clip(rows, -127, 126))
    integers = np.clip(np.rint(rows), low, low + 1)
    for index, row in enumerate(integers):
        _descend(rows[index], row, low[index], damped[min(index, len(damped) - 1)])
    return integers


def _descend(row: Array, integers: Array, low: Array, moments: Array) -> None:
    """Move integers of one output, in place, to the other side of what they round, while the error gets less."""
    error = row - integers
    slope, size = np.einsum("ij,j->i", moments, error), len(row)
    least = -1e-9 * float(error @ slope)
    for _ in range(4 * size):
        signs = np.where(integers == low, 1.0, -1.0)
        alone = np.diag(moments) - 2 * signs * slope
        moved, gain = [int(alone.argmin())], float(alone.min())
        if size <= _PAIRS:
            both = alone[:, None] + alone + 2 * np.outer(signs, signs) * moments + np.diag(np.full(size, np.inf))
            if both.min() < gain:
                moved, gain = [int(each) for each in np.unravel_index(both.argmin(), both.shape)], float(both.min())
        if gain >= least:
            return
        for each in moved:
            integers[each] += signs[each]
            slope -= signs[each] * moments[each]
