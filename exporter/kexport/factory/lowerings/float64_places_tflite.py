"""Indices that Keras computes in float64 from a size, which TFLite cannot: constants, or computed exactly in float32.

Quantiles sit at ceil((size - 1) q). Where the size is known, so is the place. Else it starts from an integer cast to
float64 and is needed as int32 or float32; with factors of at most 8 bits before and after the point (the median's 1/2)
float32 computes the same for sizes up to 65536, and a product with any other q is computed by its digits, as in
`_places`. Everything else in float64 stays, and is refused.
Source: IEEE 754-2019, 3.2: a result that is representable is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kexport.bundle.signature import Array
from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._places import Place, digits, is_place, is_rounded, known_place, place
from kexport.factory.lowerings._rule import Lowering

_OPS = ("Cast", "Sub", "AddV2", "Mul", "Ceil", "Floor", "Round", "Rint", "Maximum", "Minimum")
_REFUSED = {"float16", "bfloat16", "int64", "bool", "uint8", "int8", "int16", "uint16", "uint32", "uint64"}


def _value(op: Operation, inputs: Sequence[Tensor]) -> Array | None:
    """The result where all inputs are numbers."""
    import numpy as np
    import tensorflow as tf

    values = [tf.get_static_value(x) for x in inputs]
    if any(value is None for value in values):
        return None
    functions: dict[str, Callable[..., Array]] = {
        "Cast": lambda x: np.asarray(x).astype(op.outputs[0].dtype.as_numpy_dtype),
        "Sub": np.subtract,
        "AddV2": np.add,
        "Mul": np.multiply,
        "Ceil": np.ceil,
        "Floor": np.floor,
        "Round": np.round,
        "Rint": np.round,
        "Maximum": np.maximum,
        "Minimum": np.minimum,
    }
    return functions[op.type](*values)


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    value = _value(op, inputs)
    if value is not None:
        return [tf.constant(value, op.outputs[0].dtype)]
    where = _place(op, inputs)
    if where is not None:
        return [_narrowed(inputs[0]) - where.whole - where.fraction if op.type == "Sub" else where.rounded(op.type)]
    x, *rest = (_narrowed(x) for x in inputs)
    if op.type == "Cast":
        return [tf.cast(x, tf.float32 if op.outputs[0].dtype == tf.float64 else op.outputs[0].dtype)]
    if op.type == "Ceil":
        return [-tf.floor(-x)]
    if op.type == "Floor":
        return [tf.floor(x)]
    functions = {"Sub": tf.subtract, "AddV2": tf.add, "Mul": tf.multiply, "Maximum": tf.maximum, "Minimum": tf.minimum}
    return [functions[op.type](x, *rest)]


def _place(op: Operation, inputs: Sequence[Tensor]) -> Place | None:
    """The place that an operation rounds, or subtracts; None where it does neither."""
    product = op.inputs[-1].op
    if op.type not in ("Ceil", "Floor", "Round", "Rint", "Sub") or not _by_digits(product):
        return None
    known = _constant(inputs[-1])
    if known is not None:  # with the size
        return known_place(known)
    count, factor = inputs[-1].op.inputs
    number = 0 if _constant(product.inputs[0]) is not None else 1
    value = _constant(product.inputs[number])
    found = None if value is None else digits(value)
    return None if found is None else place(factor if number == 0 else count, found)


def _by_digits(product: Operation) -> bool:
    """Whether it is a product that float32 cannot compute, but its digits can be."""
    if not is_place(product) or product.outputs[0].dtype.name != "float64":
        return False
    values = [value for value in map(_constant, product.inputs) if value is not None]
    if len(values) != 1 or digits(values[0]) is None:
        return False
    return is_rounded(product) or not all(map(_few_bits, product.inputs))


def _narrowed(x: Tensor) -> Tensor:
    import tensorflow as tf

    return tf.cast(tf.get_static_value(x), tf.float32) if x.dtype == tf.float64 else x


def _exact(op: Operation) -> bool:
    """Whether all operations connected through float64 are exact in float32, from integers to int32 or float32."""
    pending, seen = [op], {op.name}
    while pending:
        current = pending.pop()
        if current.type not in _OPS:
            return False
        if current.type in ("Round", "Rint"):
            if not _by_digits(current.inputs[0].op):
                return False
        elif not all(map(_few_bits, current.inputs)) and not _by_digits(current):
            return False
        if current.type == "Cast" and {current.inputs[0].dtype.name, current.outputs[0].dtype.name} & _REFUSED:
            return False
        doubles = [x.op for x in current.inputs if x.dtype.name == "float64" and _constant(x) is None]
        if current.outputs[0].dtype.name == "float64":
            users = current.outputs[0].consumers()
            if not users:
                return False
            doubles += users
        pending += [other for other in doubles if other.name not in seen]
        seen |= {other.name for other in doubles}
    return True


def _constant(x: Tensor) -> Array | None:
    """The value of a constant, or of a cast one."""
    import tensorflow as tf

    value = tf.get_static_value(x)
    return _constant(x.op.inputs[0]) if value is None and x.op.type == "Cast" else value


def _few_bits(x: Tensor) -> bool:
    import numpy as np

    value = _constant(x)
    return value is None or bool(np.all((np.abs(value) <= 256) & (value * 256.0 == np.floor(value * 256.0))))


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    if not any(tensor.dtype.name == "float64" for tensor in (*op.inputs, op.outputs[0])):
        return False
    if _value(op, inputs) is not None:
        return True
    return _exact(op)


LOWERING = Lowering(
    "float64_places_tflite",
    ("tflite",),
    _OPS,
    _emit,
    _applies,
    before=("narrow_integers_tflite", "rounding_tflite"),
    narrowed={"float64": "float32"},
)
