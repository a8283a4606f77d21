"""Inverse trigonometric functions by the one that TFLite has, the angle of a point.

- atan(x) = atan2(x, 1)
- asin(x) = atan2(x, sqrt((1 - x)(1 + x)))
- acos(x) = atan2(sqrt((1 - x)(1 + x)), x)

The products keep their accuracy where |x| is near 1; beyond 1 the root is NaN, and so is the angle. TFLite's operator
wants two tensors of one shape: where TensorFlow's broadcasts, each is multiplied by ones of the other's shape.
Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 4.4.1 to 4.4.3.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x = inputs[0]
    if op.type == "Atan":
        return [tf.math.atan2(x, tf.ones_like(x))]
    if op.type == "Atan2":
        return [tf.math.atan2(x * tf.ones_like(inputs[1]), inputs[1] * tf.ones_like(x))]
    root = tf.sqrt((1.0 - x) * (1.0 + x))
    return [tf.math.atan2(x, root) if op.type == "Asin" else tf.math.atan2(root, x)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    if op.type == "Atan2":
        return any(tensor.shape.as_list() != op.outputs[0].shape.as_list() for tensor in inputs)
    return bool(inputs[0].dtype.name == "float32")


LOWERING = Lowering("inverse_trigonometric_tflite", ("tflite",), ("Atan", "Atan2", "Asin", "Acos"), _emit, _applies)
