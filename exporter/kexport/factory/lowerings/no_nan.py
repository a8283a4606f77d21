"""Quotients and products that are 0 where the second operand is: a selection.

Of more than four axes, the TFLite converter makes a selection of its own, and writes an empty shape to broadcast it to
where a size is not fixed: LiteRT refuses such a file. The ONNX converter has no such product.
Source: measured, TensorFlow 2.21, tf2onnx 1.17.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, y = inputs
    zero = tf.zeros([], y.dtype)
    return [tf.where(tf.equal(y, zero), zero, x / y if op.type == "DivNoNan" else x * y)]


LOWERING = Lowering("no_nan", ("onnx", "tflite"), ("DivNoNan", "MulNoNan"), _emit)
