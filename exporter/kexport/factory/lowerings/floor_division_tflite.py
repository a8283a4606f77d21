"""Floor division in TFLite: of floats as floor(x / y), as its own kernel fails where a divisor is 0; of int64 in steps.

TFLite divides int32, but takes remainders of int64. What is left without its remainder is a multiple of the divisor;
the quotient in float32 is nearly right, and what it leaves is smaller by 2^21 at least: four quotients are exact.
Integers of 8 and 16 bits are divided in int32.
Source: TensorFlow's `FloorDiv`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering

_LARGEST = 9.2233715e18  # the largest float32 below 2^63
_NARROW = ("int8", "int16", "uint8", "uint16")


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, y = inputs
    if x.dtype == tf.float32:
        return [tf.floor(x / y)]
    if x.dtype == tf.int64:
        return [_exact_quotient(x - x % y, y)]
    return [tf.cast(tf.cast(x, tf.int32) // tf.cast(y, tf.int32), x.dtype)]


def _exact_quotient(rest: Tensor, y: Tensor) -> Tensor:
    """How often a number is in a multiple of it."""
    import tensorflow as tf

    divisor, quotient = tf.cast(y, tf.float32), tf.zeros([], tf.int64)
    for _ in range(4):
        near = tf.floor(tf.cast(rest, tf.float32) / divisor + 0.5)  # the reference kernels have no rounding
        part = tf.cast(tf.minimum(tf.maximum(near, -_LARGEST), _LARGEST), tf.int64)
        quotient, rest = quotient + part, rest - part * y
    return quotient


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return inputs[0].dtype.name in ("float32", "int64", *_NARROW)


LOWERING = Lowering("floor_division_tflite", ("tflite",), ("FloorDiv",), _emit, _applies)
