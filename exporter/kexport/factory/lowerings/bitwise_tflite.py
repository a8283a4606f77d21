"""Bitwise operations by the exclusive or and the right shift, the only ones that TFLite has.

On signed integers of two's complement floor((a + b) / 2) = (a & b) + ((a ^ b) >> 1), and without overflow
floor((a + b) / 2) = (a >> 1) + (b >> 1) + (a's last bit)(b's last bit). Then a | b = (a & b) + (a ^ b), ~a = -1 - a,
and a << n = a 2^n, which wraps as the shift does. Other types than int32 pass through it where it holds them; int64 is
a pair of int32 for all but shifts. Keras asks for the sign of floats, before each argmax and argmin, by
`(bits & 0x80000000) < 0`, which is equivalent to `bits < 0`.
Source: Warren, Hacker's Delight, 2-2 and 2-5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering

_NARROW = ("int8", "int16", "uint8", "uint16")


def _and(a: Tensor, b: Tensor) -> Tensor:
    import tensorflow as tf

    one = tf.constant(1)
    half_a, half_b = tf.bitwise.right_shift(a, one), tf.bitwise.right_shift(b, one)
    last = (a - half_a * 2) * (b - half_b * 2)
    return half_a + half_b + last - tf.bitwise.right_shift(tf.bitwise.bitwise_xor(a, b), one)


def _or(a: Tensor, b: Tensor) -> Tensor:
    import tensorflow as tf

    return _and(a, b) + tf.bitwise.bitwise_xor(a, b)


def _xor(a: Tensor, b: Tensor) -> Tensor:
    import tensorflow as tf

    return tf.bitwise.bitwise_xor(a, b)


def _not(a: Tensor) -> Tensor:
    return -1 - a


def _left(a: Tensor, n: Tensor) -> Tensor:
    import numpy as np
    import tensorflow as tf

    powers = np.left_shift(np.int64(1), np.arange(32)).astype("int32")
    return a * tf.gather(tf.constant(powers), n)


def _right(a: Tensor, n: Tensor) -> Tensor:
    import tensorflow as tf

    return tf.bitwise.right_shift(a, n)


_FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    "BitwiseAnd": _and,
    "BitwiseOr": _or,
    "BitwiseXor": _xor,
    "Invert": _not,
    "LeftShift": _left,
    "RightShift": _right,
}


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    dtype, function = inputs[0].dtype, _FUNCTIONS[op.type]
    if _asks_for_the_sign(op, inputs):
        return [inputs[0]]
    if dtype.name == "int64":
        return [tf.bitcast(function(*(tf.bitcast(tensor, tf.int32) for tensor in inputs)), dtype)]
    if dtype.name in _NARROW:
        return [tf.cast(function(*(tf.cast(tensor, tf.int32) for tensor in inputs)), dtype)]
    return [function(*inputs)]


def _asks_for_the_sign(op: Operation, inputs: Sequence[Tensor]) -> bool:
    """Whether the operation masks the sign bit, and its result is used only to test for negative numbers."""
    import tensorflow as tf

    if op.type != "BitwiseAnd" or inputs[0].dtype.name != "int32":
        return False
    asked = [user.type == "Less" and tf.get_static_value(user.inputs[1]) == 0 for user in op.outputs[0].consumers()]
    mask = tf.get_static_value(inputs[1])
    return mask is not None and mask.ndim == 0 and int(mask) == -(2**31) and bool(asked) and all(asked)


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    if op.type in ("BitwiseXor", "RightShift") and inputs[0].dtype.name == "int32":
        return False
    if inputs[0].dtype.name == "int64":
        return "Shift" not in op.type
    return inputs[0].dtype.name in ("int32", *_NARROW)


LOWERING = Lowering("bitwise_tflite", ("tflite",), tuple(_FUNCTIONS), _emit, _applies)
