"""Weights of 8 bits beside activations of 16, rounded up or down so that their errors cancel on the calibration inputs.

Rounded to nearest, the errors of weights are independent, and in int16x8 they are nearly all of the noise. What an
error does depends on what a layer is given: on the second moments of its inputs.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kexport.bundle.signature import Array
from kexport.factory.formats._calibration_runs import CalibrationRuns, spread
from kexport.factory.formats._closest_integers import closest_integers, closest_integers_and_steps
from kexport.factory.formats._layer_patches import patches
from kexport.factory.formats._small_weights import Constant, of_tflite
from kexport.factory.formats._tflite_model import FlatModel
from kexport.runtimes.files import tflite

_MOST_INPUTS = 1024  # of one output of a layer; the moments are a square of these
_ROWS = 8192  # of inputs a layer, about
_OUTPUT_BYTES = 1 << 28  # that are kept to compare with, about
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
    path: Path, wide: Path, known: Sequence[Constant], recorded: CalibrationRuns, drawn: CalibrationRuns
) -> None:
    """Rewrite a file of int16x8, whose integers stay within one step of the weights, where no output gets noisier.

    Errors of different layers may cancel by chance where each is rounded to nearest: what came of it is measured. A
    file that cannot be run stays as it is.

    Args:
        path: of the file.
        wide: that of the file in float32.
        known: the weights of that.
        recorded: the calls of the calibration that occurred.
        drawn: the others, which count little beside them.
    """
    from tensorflow.lite.tools import flatbuffer_utils

    model = flatbuffer_utils.read_model(str(path))
    layers = list(_layers(model))
    if not layers:
        return
    nearest = path.read_bytes()
    try:
        measured = [_measured(runs, path, layers) for runs in (recorded, drawn)]
        moments = _blended(*(moments for moments, _ in measured))
        if not _rewritten(model, moments, known):
            return
        flatbuffer_utils.write_model(model, str(path))
        runs, outputs = next((r, o) for r, (_, o) in zip((recorded, drawn), measured, strict=True) if o)
        if not _is_quieter(runs, wide, path, outputs):
            path.write_bytes(nearest)
    except (RuntimeError, ValueError):
        path.write_bytes(nearest)  # the checks of the artifact tell what is wrong with it


def _rewritten(model: Any, moments: Mapping[_Layer, Array], known: Sequence[Constant]) -> bool:
    """Round the weights of each layer anew, in place; whether one changed."""
    graph, small, changed = model.subgraphs[0], {each.name: each for each in of_tflite(model)}, False
    for layer in moments:
        tensor = graph.tensors[layer.weights]
        own = small.get((tensor.name or b"").decode())
        real = None if own is None else _counterpart(own, known)
        if own is None or real is None:
            continue
        axis = _OUTPUT_AXIS[layer.kind]
        steps = np.moveaxis(np.broadcast_to(own.step, own.real.shape), axis, 0).reshape(own.real.shape[axis], -1)
        rows = np.moveaxis(real, axis, 0).reshape(steps.shape)
        rows = np.divide(rows, steps, out=np.zeros_like(rows), where=steps > 0)
        if layer.own_steps:
            integers, factors = closest_integers_and_steps(rows, moments[layer])
            _lengthen(layer, model, factors)
        else:
            integers = closest_integers(rows, moments[layer])
        shape = np.moveaxis(own.real, axis, 0).shape
        stored = np.moveaxis(integers.reshape(shape), 0, axis).astype(np.int8).tobytes()
        buffer: Any = model.buffers[tensor.buffer]
        changed = changed or stored != bytes(bytearray(buffer.data))
        buffer.data = np.frombuffer(stored, np.uint8)
    return changed


def _is_quieter(runs: CalibrationRuns, wide: Path, path: Path, nearest: Sequence[Mapping[str, Array]]) -> bool:
    """Whether no output of a file has more noise than it has with the nearest integers, which gave these outputs."""
    more: dict[str, float] = {}
    both = zip(runs.of(wide, reference=False), runs.of(path, reference=True), strict=True)
    for before, (real, run) in zip(nearest, both, strict=False):
        truth, after = real.outputs(runs.signature), run.outputs(runs.signature)
        for name, value in truth.items():
            finite = np.isfinite(value)
            noise = [float(np.square((each[name] - value)[finite]).sum()) for each in (before, after)]
            more[name] = more.get(name, 0.0) + noise[1] - noise[0]
    return all(excess <= 0 for excess in more.values())


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


def _measured(
    runs: CalibrationRuns, path: Path, layers: Sequence[_Layer]
) -> tuple[dict[_Layer, Array], list[dict[str, Array]]]:
    """The second moments of what each layer is given, of all channels or of each; and the outputs of the first calls.

    Moments are exact sums of integers: sums of products of 16 bits stay whole numbers below 2^53, so that their order,
    and the number of cores, makes no difference to a file.
    """
    found: dict[_Layer, Array] = {}
    outputs: list[dict[str, Array]] = []
    room = _OUTPUT_BYTES
    for run in runs.of(path, reference=True):
        if room > 0:
            outputs.append(run.outputs(runs.signature))
            room -= sum(each.nbytes for each in outputs[-1].values())
        for layer in layers:
            rows = _rows(layer, run.interpreter, math.ceil(_ROWS * run.share))
            found[layer] = found.get(layer, 0) + rows.swapaxes(1, 2) @ rows
    return found, outputs


def _rows(layer: _Layer, interpreter: Any, most: int) -> Array:
    """Inputs of single outputs, a row each and all over a call, of all channels together or of each channel apart."""
    x = interpreter.get_tensor(layer.source)
    shape = [int(size) for size in interpreter.get_tensor(layer.weights).shape]
    if layer.kind == "FULLY_CONNECTED":
        rows = x.reshape(-1, shape[1])
        return np.asarray(rows[spread(len(rows), most)][None], np.float64)
    parts = patches(x, (shape[1], shape[2]), layer.options)
    places = np.unravel_index(spread(math.prod(parts.shape[:3]), most), parts.shape[:3])
    rows = parts[places].astype(np.float64)  # of all places together they would not fit into memory
    if layer.kind == "CONV_2D":
        return rows.reshape(1, -1, math.prod(shape[1:]))
    apart = np.moveaxis(rows.reshape(-1, shape[1] * shape[2], x.shape[-1]), -1, 0)
    return np.repeat(apart, shape[3] // x.shape[-1], axis=0)
