"""Magnitude and sign of integers: TFLite has no operator for int64, and its reference kernels none for int32.

|x| = max(x, -x), and the least integer stays as it is, as in TensorFlow; sign(x) = (x > 0) - (x < 0).
Source: Warren, Hacker's Delight, 2-4 and 2-8.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    (x,) = inputs
    if op.type == "Abs":
        return [tf.maximum(x, tf.zeros([], x.dtype) - x)]
    zero = tf.zeros([], x.dtype)
    return [tf.cast(x > zero, x.dtype) - tf.cast(x < zero, x.dtype)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return bool(inputs[0].dtype.is_integer)


LOWERING = Lowering("integer_sign_tflite", ("tflite",), ("Abs", "Sign"), _emit, _applies)
