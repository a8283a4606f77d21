"""The numbers that ONNX's operators compute from constants, as far as sizes and divisors are made with them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from kexport.runtimes.soundness.onnx_operands import Operands
from kexport.runtimes.soundness.onnx_tensors import DTYPES, FLOAT, INT64, UNKNOWN, Dims, Known

_MOST_VALUES = 1 << 16
_BOOL = 9


def _constant(op: Operands) -> Known:
    for name, kind in (("value_int", INT64), ("value_ints", INT64), ("value_float", FLOAT), ("value_floats", FLOAT)):
        if name in op.node.attributes:
            array = np.asarray(op.node.attributes[name], DTYPES[kind])
            return Known(array.shape, kind, array)
    held = op.node.attributes.get("value", UNKNOWN)
    return held if isinstance(held, Known) else UNKNOWN


def _shape(op: Operands) -> Any:
    sizes = op.dims(0)
    chosen = None if sizes is None else sizes[op.whole("start") : op.node.attributes.get("end")]
    return None if chosen is None or any(size < 0 for size in chosen) else np.array(chosen, np.int64)


def _size(op: Operands) -> Any:
    sizes = op.dims(0)
    return None if sizes is None or any(size < 0 for size in sizes) else np.array(math.prod(sizes))


def _filled(op: Operands, dims: Dims) -> Any:
    held = op.node.attributes.get("value", UNKNOWN)
    if held is UNKNOWN:
        return np.zeros(dims, np.float32)
    return None if held.value is None or held.value.size != 1 else np.full(dims, held.value.reshape(()))


def _cut(op: Operands, data: Any, *_: Any) -> Any:
    starts, ends = op.numbers(1, "starts"), op.numbers(2, "ends")
    axes, steps = op.numbers(3, "axes"), op.numbers(4)
    if starts is None or ends is None:
        return None
    places = [slice(None)] * data.ndim
    for at, axis in enumerate(axes or range(len(starts))):
        step, end = int(steps[at]) if steps else 1, int(ends[at])
        if step < 0 and end < -data.shape[int(axis)]:
            places[int(axis)] = slice(int(starts[at]), None, step)
        else:
            places[int(axis)] = slice(int(starts[at]), end, step)
    return data[tuple(places)]


def _divided(op: Operands, left: Any, right: Any) -> Any:
    if left.dtype.kind == "f":
        return left / right
    quotient = np.abs(left) // np.abs(right)  # towards zero
    return np.where((left < 0) != (right < 0), -quotient, quotient).astype(left.dtype)


def _reduced(function: Callable[..., Any]) -> Callable[..., Any]:
    def compute(op: Operands, data: Any, *_: Any) -> Any:
        axes = op.numbers(1, "axes")
        chosen = tuple(map(int, axes)) if axes else None
        return function(data, axis=chosen, keepdims=bool(op.whole("keepdims", 1))).astype(data.dtype)

    return compute


def _cast(op: Operands, data: Any) -> Any:
    dtype = DTYPES.get(op.whole("to"))
    return None if dtype is None else data.astype(dtype)


def _counted(op: Operands, start: Any, limit: Any, step: Any) -> Any:
    first, last, by = (each.reshape(()).item() for each in (start, limit, step))
    return np.arange(first, last, by).astype(start.dtype) if abs((last - first) / by) <= _MOST_VALUES else None


#: Those that compute with the values of all their inputs.
_COMPUTED: dict[str, Callable[..., Any]] = {
    "Abs": lambda op, x: np.abs(x),
    "Add": lambda op, x, y: x + y,
    "Cast": _cast,
    "Ceil": lambda op, x: np.ceil(x),
    "Concat": lambda op, *x: np.concatenate(x, op.whole("axis")),
    "Div": _divided,
    "Equal": lambda op, x, y: x == y,
    "Floor": lambda op, x: np.floor(x),
    "Gather": lambda op, x, y: np.take(x, y, op.whole("axis")),
    "Greater": lambda op, x, y: x > y,
    "Identity": lambda op, x: x,
    "Less": lambda op, x, y: x < y,
    "Max": lambda op, x, *y: np.maximum.reduce(np.broadcast_arrays(x, *y)),
    "Min": lambda op, x, *y: np.minimum.reduce(np.broadcast_arrays(x, *y)),
    "Mod": lambda op, x, y: np.fmod(x, y) if op.whole("fmod") else np.mod(x, y),
    "Mul": lambda op, x, y: x * y,
    "Neg": lambda op, x: -x,
    "Not": lambda op, x: ~x,
    "And": lambda op, x, y: x & y,
    "Or": lambda op, x, y: x | y,
    "Pow": lambda op, x, y: np.power(x, y.astype(x.dtype)) if x.dtype.kind == "f" or (y >= 0).all() else None,
    "Range": _counted,
    "ReduceMax": _reduced(np.max),
    "ReduceMin": _reduced(np.min),
    "ReduceProd": _reduced(np.prod),
    "ReduceSum": _reduced(np.sum),
    "Slice": _cut,
    "Sub": lambda op, x, y: x - y,
    "Where": lambda op, x, y, z: np.where(x, y, z),
}
#: Those that put the same values into another shape, and those that repeat one.
_RESHAPING = frozenset({"Reshape", "Squeeze", "Unsqueeze", "Flatten"})
_TYPES = {"Shape": INT64, "Size": INT64, "NonZero": INT64, "ArgMax": INT64, "ArgMin": INT64, "RandomNormal": FLOAT}
_TYPES |= dict.fromkeys(("RandomUniform", "HannWindow", "HammingWindow", "BlackmanWindow", "MelWeightMatrix"), FLOAT)
_TYPES |= dict.fromkeys(("Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual", "IsNaN", "IsInf"), _BOOL)
#: The input whose type the result has, and the attribute that states it.
LIKE = {"Where": 1, "DequantizeLinear": 1, "OneHot": 2, "QuantizeLinear": 2, "CastLike": 1}
_STATED = {"Cast": "to", "RandomNormal": "dtype", "RandomUniform": "dtype", "EyeLike": "dtype",
           "Multinomial": "dtype", "QuantizeLinear": "output_dtype"}  # fmt: skip


def type_of(op: Operands) -> int:
    """The type of the first result."""
    kind = op.node.kind
    stated = op.whole(_STATED[kind]) if kind in _STATED else 0
    if stated or kind in _TYPES:
        return stated or _TYPES[kind]
    if kind == "ConstantOfShape":
        held = op.node.attributes.get("value")
        return held.type if isinstance(held, Known) else FLOAT
    place = LIKE.get(kind, 0)
    return op.given[place].type if place < len(op.given) else 0


def computed(op: Operands, dims: Dims | None) -> Known:
    """What is known of the first result, of which the sizes are known so far."""
    kind, value = op.node.kind, None
    if kind == "Constant":
        return _constant(op)
    if kind == "Shape":
        value = _shape(op)
    elif kind == "Size":
        value = _size(op)
    elif dims is None or not (all(size >= 0 for size in dims) and math.prod(dims) <= _MOST_VALUES):
        value = _of_values(op) if kind == "Slice" else None
    elif kind == "ConstantOfShape":
        value = _filled(op, dims)
    elif kind in _RESHAPING or kind in ("Expand", "Tile"):
        data = op.given[0].value if op.given else None
        if data is not None and kind in _RESHAPING:
            value = data.reshape(dims)
        elif data is not None:
            value = np.broadcast_to(data, dims) if kind == "Expand" else np.tile(data, op.given[1].value)
    else:
        value = _of_values(op)
    if value is None:
        return Known(dims, type_of(op))
    return Known(value.shape, type_of(op), value if value.size <= _MOST_VALUES else None)


def _of_values(op: Operands) -> Any:
    compute = _COMPUTED.get(op.node.kind)
    values = [each.value for each, name in zip(op.given, op.node.inputs, strict=True) if name]
    if compute is None or not values or any(value is None for value in values):
        return None
    value = compute(op, *values)
    return None if value is None else np.asarray(value)
