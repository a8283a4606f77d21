"""Complex numbers, which neither ONNX nor TFLite carries: their real and imaginary parts, side by side.

What moves numbers or adds them acts on both parts alike; products, quotients and elementary functions are spelt out.
Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 3.7 and 4.2 to 4.4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._complex_pair import ComplexPair, pair
from kexport.factory.lowerings._rule import Lowering

Value = Tensor | ComplexPair
#: Lowers an operation on real numbers.
Again = Callable[[Operation], Sequence[Tensor]]

_ALIKE = (
    "Add", "AddN", "AddV2", "BatchToSpaceND", "BroadcastTo", "ConcatV2", "Cumsum", "ExpandDims", "Fill", "Gather",
    "GatherNd", "GatherV2", "Identity", "MatrixBandPart", "MatrixDiagPart", "MatrixDiagPartV3", "Mean", "MirrorPad",
    "Neg", "Pack", "Pad", "PadV2", "Reshape", "ReverseV2", "Roll", "Select", "SelectV2", "Slice", "SpaceToBatchND",
    "Split", "SplitV", "Squeeze", "StopGradient", "StridedSlice", "Sub", "Sum", "Tile", "Transpose", "Unpack",
    "UnsortedSegmentSum", "ZerosLike",
)  # fmt: skip
_BILINEAR = ("BatchMatMul", "BatchMatMulV2", "Einsum", "MatMul", "Mul")


def _emit(op: Operation, inputs: Sequence[Value], again: Again) -> Sequence[Value]:
    if op.type in _ALIKE:
        return _on_both(op, inputs, again)
    if op.type in _BILINEAR:
        return [_bilinear(op, inputs, again)]
    return [_FUNCTIONS[op.type](op, *inputs)]


def _on_both(op: Operation, inputs: Sequence[Value], again: Again) -> list[ComplexPair]:
    split = [pair(new) if old.dtype.is_complex else new for old, new in zip(op.inputs, inputs, strict=True)]
    real = _on_real(op, again, [value.real if isinstance(value, ComplexPair) else value for value in split])
    imag = _on_real(op, again, [value.imag if isinstance(value, ComplexPair) else value for value in split])
    return [ComplexPair(*both) for both in zip(real, imag, strict=True)]


def _on_real(op: Operation, again: Again, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    """The same operation on real numbers, lowered where the format needs that."""
    import tensorflow as tf
    from tensorflow.core.framework import attr_value_pb2

    real = {tf.complex64: tf.float32, tf.complex128: tf.float64}
    declared = {attr.name for attr in op.op_def.attr}
    attrs = {name: value for name, value in op.node_def.attr.items() if name in declared}
    for name, value in attrs.items():
        if value.WhichOneof("value") == "type" and tf.as_dtype(value.type) in real:
            attrs[name] = attr_value_pb2.AttrValue(type=real[tf.as_dtype(value.type)].as_datatype_enum)
    dtypes = [real.get(tensor.dtype, tensor.dtype) for tensor in op.outputs]
    real_op = tf.compat.v1.get_default_graph().create_op(
        op.type, list(inputs), dtypes, attrs=attrs, op_def=op.op_def, name=op.type
    )
    return again(real_op)


def _bilinear(op: Operation, inputs: Sequence[Value], again: Again) -> ComplexPair:
    parts = [pair(value) for value in inputs]
    if len(parts) == 1:  # an einsum of one operand is linear
        return _on_both(op, inputs, again)[0]
    x, y = (
        ComplexPair(part.real, -part.imag) if _adjoint(op, attribute) else part
        for part, attribute in zip(parts, ("adj_x", "adj_y"), strict=True)
    )

    def times(a: Tensor, b: Tensor) -> Tensor:
        return _on_real(op, again, [a, b])[0]

    return ComplexPair(
        times(x.real, y.real) - times(x.imag, y.imag),
        times(x.real, y.imag) + times(x.imag, y.real),
    )


def _adjoint(op: Operation, attribute: str) -> bool:
    return attribute in op.node_def.attr and bool(op.get_attr(attribute))


def _complex(_op: Operation, real: Tensor, imag: Tensor) -> ComplexPair:
    import tensorflow as tf

    if real.shape.is_fully_defined() and real.shape == imag.shape:
        return ComplexPair(real, imag)
    return ComplexPair(real * tf.ones_like(imag), imag * tf.ones_like(real))  # a product with 1 keeps the sign of zero


def _cast(op: Operation, x: Value) -> Value:
    import tensorflow as tf

    target = op.outputs[0].dtype
    if not target.is_complex:
        return tf.cast(pair(x).real, target)
    part = target.real_dtype
    if not isinstance(x, ComplexPair) and not x.dtype.is_complex:
        real = tf.cast(x, part)
        return ComplexPair(real, tf.zeros_like(real))
    return ComplexPair(tf.cast(pair(x).real, part), tf.cast(pair(x).imag, part))


def _magnitude(_op: Operation, x: Value) -> Tensor:
    """Scaled by a power of two where the squares would leave the range of numbers."""
    import tensorflow as tf

    z = pair(x)
    large = tf.maximum(tf.abs(z.real), tf.abs(z.imag))
    far = 2.0 ** (70 if large.dtype == tf.float32 else 600)
    one = tf.ones((), large.dtype)
    down, up = one / far, one * far
    unit = tf.where(large > 2.0**30, up, tf.where(large < 2.0**-30, down, one))
    real, imag = z.real / unit, z.imag / unit
    return tf.sqrt(real * real + imag * imag) * unit


def _squared(x: ComplexPair) -> Tensor:
    return x.real * x.real + x.imag * x.imag


def _angle(_op: Operation, x: Value) -> Tensor:
    """Of the first quadrant, then mirrored: tf2onnx' Atan2 does not know the sign of zero."""
    import tensorflow as tf

    real, imag = pair(x).real, pair(x).imag
    one = tf.ones((), real.dtype)
    angle = tf.atan2(tf.abs(imag), tf.abs(real))
    angle = tf.where((real < 0) | (one / real < 0), np.pi - angle, angle)
    return tf.where((imag < 0) | (one / imag < 0), -angle, angle)


def _times(x: ComplexPair, y: ComplexPair) -> ComplexPair:
    return ComplexPair(x.real * y.real - x.imag * y.imag, x.real * y.imag + x.imag * y.real)


def _over(_op: Operation, x: Value, y: Value) -> ComplexPair:
    """By way of the divisor scaled to a magnitude near one: its square neither overflows nor vanishes."""
    import tensorflow as tf

    divisor = pair(y)
    size = tf.maximum(tf.abs(divisor.real), tf.abs(divisor.imag))
    divisor = ComplexPair(divisor.real / size, divisor.imag / size)
    product, norm = _times(pair(x), ComplexPair(divisor.real, -divisor.imag)), _squared(divisor) * size
    return ComplexPair(product.real / norm, product.imag / norm)


def _exponential(_op: Operation, x: Value) -> ComplexPair:
    import tensorflow as tf

    real, imag = pair(x).real, pair(x).imag
    size = tf.exp(real)
    return ComplexPair(size * tf.cos(imag), size * tf.sin(imag))


def _logarithm(op: Operation, x: Value) -> ComplexPair:
    import tensorflow as tf

    return ComplexPair(tf.math.log(_magnitude(op, x)), _angle(op, x))


def _equal(_op: Operation, x: Value, y: Value) -> Tensor:
    import tensorflow as tf

    one, other = pair(x), pair(y)
    return tf.equal(one.real, other.real) & tf.equal(one.imag, other.imag)


def _root(op: Operation, x: Value) -> ComplexPair:
    """The root in the right half plane; its larger part comes first, the other is imag / (2 larger)."""
    import tensorflow as tf

    z = pair(x)
    larger = tf.sqrt((_magnitude(op, z) + tf.abs(z.real)) / 2)
    other = z.imag / (2 * tf.where(larger > 0, larger, tf.ones_like(larger)))
    right = z.real >= 0
    upper = tf.where(z.imag < 0, -larger, larger)
    return ComplexPair(tf.where(right, larger, tf.abs(other)), tf.where(right, other, upper))


def _power(op: Operation, x: Value, _exponent: Value) -> ComplexPair:
    power = factor = pair(x)
    for _ in range(int(_exponent_of(op)) - 1):
        power = _times(power, factor)
    return power


def _exponent_of(op: Operation) -> float:
    """The exponent, if it is one small whole number; else 0."""
    import tensorflow as tf

    value = tf.get_static_value(op.inputs[1])
    whole = value is not None and value.ndim == 0 and value.imag == 0 and value.real in range(1, 9)
    return value.real if whole else 0


def _conjugate(_op: Operation, x: Value) -> ComplexPair:
    return ComplexPair(pair(x).real, -pair(x).imag)


def _conjugate_transpose(op: Operation, x: Value, order: Tensor) -> ComplexPair:
    import tensorflow as tf

    return ComplexPair(tf.transpose(pair(x).real, order), -tf.transpose(pair(x).imag, order))


def _shape(op: Operation, x: Value) -> Tensor:
    import tensorflow as tf

    return tf.shape(pair(x).real, out_type=op.outputs[0].dtype)


_FUNCTIONS: dict[str, Callable[..., Value]] = {
    "Angle": _angle,
    "Cast": _cast,
    "Complex": _complex,
    "ComplexAbs": _magnitude,
    "Conj": _conjugate,
    "ConjugateTranspose": _conjugate_transpose,
    "Equal": _equal,
    "Exp": _exponential,
    "Imag": lambda _op, x: pair(x).imag,
    "Inv": lambda op, x: _over(op, _one_like(x), x),
    "Log": _logarithm,
    "NotEqual": lambda op, x, y: ~_equal(op, x, y),
    "Pow": _power,
    "Real": lambda _op, x: pair(x).real,
    "RealDiv": _over,
    "Reciprocal": lambda op, x: _over(op, _one_like(x), x),
    "Shape": _shape,
    "Sqrt": _root,
    "Square": lambda _op, x: _times(pair(x), pair(x)),
}


def _one_like(x: Value) -> ComplexPair:
    import tensorflow as tf

    return ComplexPair(tf.ones_like(pair(x).real), tf.zeros_like(pair(x).real))


def _applies(op: Operation, inputs: Sequence[Value]) -> bool:
    """Not on the output of TFLite's own RFFT, which the converter maps together with the operation that takes it."""
    if op.type == "Pow":
        return bool(_exponent_of(op))
    return not (op.type in ("Real", "Imag", "ComplexAbs") and getattr(inputs[0], "op", op).type in ("RFFT", "RFFT2D"))


LOWERING = Lowering(
    "complex",
    ("onnx", "tflite"),
    (*_ALIKE, *_BILINEAR, *_FUNCTIONS),
    _emit,
    _applies,
    on_complex=True,
    relowers=True,
)
