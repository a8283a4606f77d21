"""`exp(x) - 1`, which tf2onnx does not map, relatively accurate near 0.

exp(x) - 1 = 2 exp(x/2) sinh(x/2); below -100, where it is -1 in every type, x = -100 keeps the product finite.
float64, of which onnxruntime has no sinh, takes 2 t / (1 - t) with t = tanh(x/2) near 0, where nothing cancels, and the
difference elsewhere.
Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 4.5.1 and 4.5.3; 4.5.21 for the hyperbolic sine.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    (x,) = inputs
    if x.dtype == tf.float64:
        t = tf.tanh(x / 2)
        return [tf.where(tf.abs(x) < 1, 2 * t / (1 - t), tf.exp(x) - 1)]
    half = tf.maximum(tf.cast(x, tf.float32), -100.0) / 2
    return [tf.cast(2 * tf.exp(half) * tf.sinh(half), x.dtype)]


LOWERING = Lowering("expm1_onnx", ("onnx",), ("Expm1",), _emit)
