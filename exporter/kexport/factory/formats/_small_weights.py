"""The weights of a small precision against those of float32: no ratio of signal to noise sees a few that are wrong.

A budget in decibels is about what all rounding together may do, and leaves room for a scale that belongs to another
channel, or for a row that is shifted. What rounding may do to one weight is known: a step of its integers, or one unit
in the last place of half precision. So each constant of the wide file is looked for among those of its shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kexport.bundle.signature import Array
from kexport.errors import ExportError
from kexport.runtimes.files import tflite
from kexport.runtimes.files.protocols import TfliteModel, TfliteTensor

_FEW = 8  # elements; with fewer, one constant is soon taken for another
_ALIKE = 0.5  # correlation from which two constants are the same weights, however wrong
_ROUNDING = 1e-6  # of float32, relative to the largest
_HALF, _LEAST_HALF = 2.0**-10, 2.0**-24  # one unit in the last place of half precision, and of its smallest numbers
_LARGEST_HALF = float(np.finfo(np.float16).max)
_TFLITE_DTYPES = {"FLOAT32": "<f4", "FLOAT16": "<f2", "INT8": "i1", "INT16": "<i2", "INT32": "<i4", "INT64": "<i8"}


@dataclass(frozen=True)
class Constant:
    """Constant real numbers in a file.

    Attributes:
        name: in the file.
        real: the numbers.
        step: how far each may be from what it was made of, of a shape that broadcasts to that of the numbers.
    """

    name: str
    real: Array
    step: Array


def require_weights(wide: Iterable[Constant], small: Iterable[Constant]) -> None:
    """Raise `ExportError` unless the weights of the small file are those of the wide one, as far as they can be told.

    A constant of which the small file has none of that shape, or none like it, is not judged: it was folded.
    """
    by_shape: dict[tuple[int, ...], list[Constant]] = {}
    for each in small:
        by_shape.setdefault(each.real.shape, []).append(each)
    for constant in wide:
        problem = _problem(constant, by_shape.get(constant.real.shape, []))
        if problem:
            raise ExportError(
                f"the weights {constant.name!r} are not those of the model",
                got=problem,
                expected="at most one step of what they are rounded to",
                hint="this is a fault of the converter: leave out this precision, and report it",
            )


def require_half(wide: Iterable[Constant], layer: Callable[[str], str]) -> None:
    """Raise `ExportError` where half precision lacks a weight.

    Args:
        wide: the weights in float32.
        layer: the layer that computes a tensor of a name, in words.
    """
    for constant in wide:
        largest = np.abs(constant.real).max(initial=0.0)
        if _LARGEST_HALF < largest < np.inf:
            largest_half = f"more than {_LARGEST_HALF:,.0f}, the largest number of half precision"
            raise ExportError(
                "the model cannot be written in half precision",
                got=f"weights up to {largest:.3g} of {layer(constant.name)}, {largest_half}",
            )


def _problem(constant: Constant, candidates: list[Constant]) -> str:
    if constant.real.size < _FEW or not np.ptp(constant.real) > 0 or not candidates:
        return ""
    ordered = sorted(candidates, key=lambda each: each.name != constant.name)  # its own name first
    if any(_steps(constant, each) <= 1 for each in ordered):
        return ""
    alike, best = max(((_correlation(constant.real, each.real), each) for each in ordered), key=lambda pair: pair[0])
    if alike < _ALIKE:
        return ""
    return f"{best.name!r} is up to {_steps(constant, best):.3g} steps away"


def _steps(constant: Constant, other: Constant) -> float:
    """The largest distance, in steps of the other; infinite where that holds no numbers."""
    with np.errstate(invalid="ignore", over="ignore"):
        distance = np.abs(constant.real - other.real)
    slack = other.step + _ROUNDING * np.abs(constant.real).max()
    steps = float((distance / slack).max())
    return steps if np.isfinite(steps) else np.inf


def _correlation(one: Array, other: Array) -> float:
    """Between -1 and 1, of those elements that are finite."""
    finite = np.isfinite(other)
    a, b = one[finite], other[finite]
    size = float(np.sqrt(np.square(a).sum() * np.square(b).sum()))
    return float((a * b).sum() / size) if size > 0 else 0.0


def of_tflite(model: TfliteModel) -> Iterator[Constant]:
    """The constants of a TFLite file that operators take, and that stand for real numbers."""
    types = tflite.numbered(tflite.schema().TensorType)
    buffers: Any = getattr(model, "buffers", ())
    for graph in model.subgraphs:
        taken = {int(index) for operator in graph.operators or () for index in operator.inputs if index >= 0}
        for tensor in (graph.tensors[index] for index in sorted(taken)):
            dtype = _TFLITE_DTYPES.get(types[tensor.type])
            own: Any = tensor
            data = buffers[own.buffer].data
            if dtype is None or data is None or own.shape is None:
                continue
            values = np.frombuffer(bytes(bytearray(data)), dtype).reshape([int(size) for size in own.shape])
            name = (tensor.name or b"").decode()
            if values.dtype.kind == "f":
                yield _of_floats(name, values)
            elif (scaled := _scaled(values, tensor)) is not None:
                yield Constant(name, *scaled)


def _scaled(integers: Array, tensor: TfliteTensor) -> tuple[Array, Array] | None:
    own: Any = tensor.quantization
    if own is None or own.scale is None or not len(own.scale) or own.zeroPoint is None:
        return None
    axis = int(own.quantizedDimension)
    return _real(integers, np.asarray(own.scale, np.float32), np.asarray(own.zeroPoint), axis)


def _real(integers: Array, scale: Array, zero_point: Array, axis: int) -> tuple[Array, Array] | None:
    """The numbers that integers stand for, and the step of each; None where scales do not fit them."""
    if scale.size > 1:
        if integers.ndim == 0 or integers.shape[axis] != scale.size:
            return None
        along = [1] * integers.ndim
        along[axis] = scale.size
        scale, zero_point = scale.reshape(along), zero_point.reshape(along if zero_point.size > 1 else [1] * len(along))
    else:
        scale, zero_point = (
            scale.reshape(()),
            zero_point.reshape(-1)[:1].reshape(()) if zero_point.size else np.int64(0),
        )
    wide = scale.astype(np.float64)
    return (integers.astype(np.float64) - zero_point) * wide, wide


def _of_floats(name: str, values: Array) -> Constant:
    real = values.astype(np.float64)
    half = values.dtype == np.float16
    step = np.abs(real) * _HALF + _LEAST_HALF if half else np.zeros(())
    return Constant(name, real, np.where(np.isfinite(step), step, 0.0))


def of_onnx(path: Path) -> Iterator[Constant]:
    """The constants of an ONNX file that stand for real numbers: of integers too, with the scales that stand beside."""
    import onnx

    graph = onnx.load(path).graph
    taken = {name for node in graph.node for name in node.input}
    arrays = {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer if each.name in taken}
    floats = {name for name, array in arrays.items() if array.dtype.kind == "f"}
    made = set()
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and set(node.input) <= arrays.keys():
            integers, scale, zero_point = ([*(arrays[name] for name in node.input), np.zeros(1, np.int64)])[:3]
            axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 1)
            made |= set(node.input)
            if (real := _real(integers, scale, zero_point, axis)) is not None:
                yield Constant(node.output[0].removesuffix("_DequantizeLinear_Output"), *real)
    for name, integers in arrays.items():
        plain = name.removesuffix("_quantized")
        scale, zero_point = arrays.get(f"{plain}_scale"), arrays.get(f"{plain}_zero_point")
        if plain != name and name not in made and scale is not None and zero_point is not None:
            made |= {f"{plain}_scale"}
            yield from _of_dynamic(plain, integers, scale, zero_point)
    for name in floats - made:
        yield _of_floats(name, arrays[name])


def _of_dynamic(name: str, integers: Array, scale: Array, zero_point: Array) -> Iterator[Constant]:
    """Constants of operators whose scales are those of the last axis; of recurrent ones, which are transposed."""
    if scale.ndim == 2 and integers.ndim == 3:
        wide = scale[:, np.newaxis].astype(np.float64)
        real = (integers.astype(np.float64) - zero_point[:, np.newaxis]) * wide
        yield Constant(name, np.swapaxes(real, 1, 2), np.swapaxes(np.broadcast_to(wide, real.shape), 1, 2))
    elif (found := _real(integers, scale, zero_point, integers.ndim - 1)) is not None:
        yield Constant(name, *found)
